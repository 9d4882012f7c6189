#include "support/fake_interrupts.h"

#include <sys/eventfd.h>

namespace sheaf::test {

bool FakeDoorbells::ring(Gpa address) const {
    const auto lock = std::lock_guard{mutex_};
    const auto at = bound_.find(address.value());
    return at != bound_.end() && ::eventfd_write(at->second, 1) == 0;
}

}  // namespace sheaf::test

#include "base/fd.h"

#include <fcntl.h>
#include <unistd.h>

namespace sheaf {

void Fd::reset(int number) {
    if (number_ >= 0) ::close(number_);
    number_ = number;
}

Result<Fd> Fd::duplicate() const {
    return checked_fd(::fcntl(number_, F_DUPFD_CLOEXEC, 0), "duplicating descriptor {}", number_);
}

}  // namespace sheaf

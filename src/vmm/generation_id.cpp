#include "vmm/generation_id.h"

#include <sys/random.h>

#include "vmm/layout.h"

namespace sheaf::vmm {

Result<GenerationId> make_generation_id() {
    GenerationId id;
    if (::getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size()))
        return fail_os(errno, "asking the host for a generation identifier");
    return id;
}

Result<void> put_generation_id(const GuestMemory& memory, const GenerationId& id) {
    return memory.write(layout::generation_id, id);
}

}  // namespace sheaf::vmm

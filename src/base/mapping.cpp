#include "base/mapping.h"

#include <sys/mman.h>

namespace sheaf {

Mapping::~Mapping() {
    if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

Result<Mapping> Mapping::create(std::size_t length, int protection, int flags, int fd,
                                std::size_t offset) {
    auto* address = ::mmap(nullptr, length, protection, flags, fd, static_cast<off_t>(offset));
    if (address == MAP_FAILED) return fail_os(errno, "mapping {} bytes", length);
    return Mapping{{static_cast<std::byte*>(address), length}};
}

}  // namespace sheaf

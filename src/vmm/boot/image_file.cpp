#include "vmm/boot/image_file.h"

#include <sys/stat.h>
#include <unistd.h>

namespace sheaf::vmm::boot {

Result<ImageFile> ImageFile::create(const Fd& fd) {
    struct stat status = {};
    TRY(checked(::fstat(fd.get(), &status), "looking at the file"));
    if (S_ISDIR(status.st_mode)) return fail(Kind::invalid, "is a directory, not a file");
    if (!S_ISREG(status.st_mode)) return fail(Kind::invalid, "is not a regular file");
    return ImageFile{fd, static_cast<std::uint64_t>(status.st_size)};
}

Result<void> ImageFile::read(std::uint64_t offset, std::span<std::byte> into) const {
    if (offset > size_ || into.size() > size_ - offset)
        return fail(Kind::corrupt, "is truncated: needs {} bytes at offset {}, has {} in all",
                    into.size(), offset, size_);
    while (!into.empty()) {
        const auto got =
            ::pread64(fd_->get(), into.data(), into.size(), static_cast<off64_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_os(errno, "reading the file at offset {}", offset);
        if (got == 0) return fail(Kind::corrupt, "became shorter while it was read");
        into = into.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
    return {};
}

Result<void> ImageFile::read(std::uint64_t offset, std::uint64_t length, const GuestMemory& memory,
                             Gpa address) const {
    return read(offset, TRY(memory.slice(address, length)));
}

}  // namespace sheaf::vmm::boot

#pragma once

// Why: a kernel or an initrd is an untrusted file that should reach guest memory without a second
// copy in this process. Reads are by position, complete or an error, and never past the size that
// was checked.

#include "base/fd.h"
#include "vmm/guest_memory.h"

namespace sheaf::vmm::boot {

class ImageFile {
  public:
    // The descriptor outlives the image. Fails with invalid unless it is a regular file.
    static Result<ImageFile> create(const Fd& fd);

    std::uint64_t size() const { return size_; }

    // Fails with corrupt where [offset, offset + length) is not all in the file.
    Result<void> read(std::uint64_t offset, std::span<std::byte> into) const;

    template <class T>
        requires std::is_trivially_copyable_v<T>
    Result<T> read(std::uint64_t offset) const {
        T value;
        TRY(read(offset, std::as_writable_bytes(std::span{&value, 1})));
        return value;
    }

    // Straight into guest memory, `length` bytes from `offset` of the file.
    Result<void> read(std::uint64_t offset, std::uint64_t length, const GuestMemory& memory,
                      Gpa address) const;

  private:
    ImageFile(const Fd& fd, std::uint64_t size) : fd_(&fd), size_(size) {}
    const Fd* fd_;
    std::uint64_t size_;
};

}  // namespace sheaf::vmm::boot

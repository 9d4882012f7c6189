#pragma once

// Why: memory that any direct transfer accepts, with one owner.

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

namespace sheaf::storage {

class AlignedBuffer {
  public:
    static constexpr std::size_t alignment = 4096;

    static constexpr std::size_t huge_page = std::size_t{2} << 20;

    // `size` bytes, a multiple of the alignment; empty when memory is short. A multiple of a huge
    // page is made of such where the host has them: a disk is told of few pieces then, and a
    // transfer of many small ones waits for others long before the disk's queue is full.
    explicit AlignedBuffer(std::size_t size)
        : bytes_(size > 0 ? static_cast<std::byte*>(std::aligned_alloc(alignment_of(size), size))
                          : nullptr),
          size_(bytes_ ? size : 0) {
        if (size_ > 0 && alignment_of(size) == huge_page)
            ::madvise(bytes_.get(), size_, MADV_HUGEPAGE);
    }

    std::span<std::byte> bytes() const { return {bytes_.get(), size_}; }

  private:
    static constexpr std::size_t alignment_of(std::size_t size) {
        return size % huge_page == 0 ? huge_page : alignment;
    }
    struct Free {
        void operator()(std::byte* bytes) const { std::free(bytes); }
    };
    std::unique_ptr<std::byte, Free> bytes_;
    std::size_t size_;
};

}  // namespace sheaf::storage

#pragma once

// Why: memory that any direct transfer accepts, with one owner.

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

namespace sheaf::storage {

class AlignedBuffer {
  public:
    static constexpr std::size_t alignment = 4096;

    // `size` bytes, a multiple of the alignment; empty when memory is short.
    explicit AlignedBuffer(std::size_t size)
        : bytes_(size > 0 ? static_cast<std::byte*>(std::aligned_alloc(alignment, size)) : nullptr),
          size_(bytes_ ? size : 0) {}

    std::span<std::byte> bytes() const { return {bytes_.get(), size_}; }

  private:
    struct Free {
        void operator()(std::byte* bytes) const { std::free(bytes); }
    };
    std::unique_ptr<std::byte, Free> bytes_;
    std::size_t size_;
};

}  // namespace sheaf::storage

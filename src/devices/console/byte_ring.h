#pragma once

// Why: bytes wait between two speeds in a room of fixed size, first in, first out.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>

namespace sheaf::console {

class ByteRing {
  public:
    explicit ByteRing(std::size_t capacity)
        : bytes_(std::make_unique_for_overwrite<std::byte[]>(capacity)), capacity_(capacity) {}

    std::size_t size() const { return size_; }
    std::size_t room() const { return capacity_ - size_; }

    // Adds the first bytes that fit and gives their number.
    std::size_t put(std::span<const std::byte> bytes);
    // Takes the oldest bytes and gives their number.
    std::size_t take(std::span<std::byte> bytes);
    // Forgets the oldest bytes, at most all there are.
    void drop(std::size_t count);

  private:
    std::unique_ptr<std::byte[]> bytes_;
    std::size_t capacity_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

}  // namespace sheaf::console

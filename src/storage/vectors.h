#pragma once

// Why: requests arrive as scattered pieces of memory; a transfer that was cut short, or that must
// pass through an aligned buffer, needs to speak of "the bytes after the first n" of them.

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <vector>

namespace sheaf::storage {

// Sum of the pieces, in bytes.
std::size_t length_of(std::span<const iovec> vectors);

// Whether the addresses and lengths of all pieces are multiples of `alignment`, a power of two.
bool all_aligned(std::span<const iovec> vectors, std::size_t alignment);

// The pieces that hold `length` bytes from `offset` on; both within what there is.
std::vector<iovec> slice(std::span<const iovec> vectors, std::size_t offset, std::size_t length);

// Walks over pieces from the front. The pieces outlive it and are not changed.
class VectorCursor {
  public:
    explicit VectorCursor(std::span<const iovec> vectors) : rest_(vectors) {}

    void skip(std::size_t length);  // at most what is left
    // Copy between `buffer` and the next buffer.size() bytes, and go on behind them.
    void copy_out(std::span<std::byte> buffer);
    void copy_in(std::span<const std::byte> buffer);

    // The next bytes, up to `limit` of them that lie together, and goes on behind them.
    std::span<std::byte> take(std::size_t limit);

    // The next pieces, at most `limit` of them.
    std::vector<iovec> next(std::size_t limit) const;
    // The next bytes, up to `limit` of them that lie together; stays where it is.
    std::span<std::byte> piece(std::size_t limit) const;

  private:
    void advance(std::size_t length);  // within the first piece

    std::span<const iovec> rest_;
    std::size_t used_ = 0;  // bytes of rest_[0] already passed
};

}  // namespace sheaf::storage

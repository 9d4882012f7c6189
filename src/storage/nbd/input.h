#pragma once

// Why: requests arrive in a stream that the network cuts anywhere. One receive brings as many of
// them as there are; what is long goes past the buffer to where it belongs.

#include <span>

#include "base/bytes.h"
#include "io/loop.h"
#include "io/task.h"
#include "storage/aligned_buffer.h"

namespace sheaf::nbd {

// The receiving side of a connection. Loop thread only.
class Input {
  public:
    static constexpr std::size_t capacity = 65536;

    // The loop and the descriptor outlive this.
    Input(io::Loop& loop, int descriptor)
        : loop_(loop), descriptor_(descriptor), buffer_(capacity) {}

    std::size_t buffered() const { return end_ - begin_; }
    // Receives until `length` bytes, at most the capacity, are buffered. False where the stream
    // ended before the first of them; ending within them is a failure.
    io::Task<bool> fill(std::size_t length);
    // The next bytes; they are buffered. Valid until the next fill(), receive() or skip().
    std::span<const std::byte> take(std::size_t length);
    template <WireStruct T>
    T take() {
        return load<T>(take(sizeof(T)));
    }
    // The next bytes into `target`, or nowhere.
    io::Task<void> receive(std::span<std::byte> target);
    io::Task<void> skip(std::uint64_t length);

  private:
    io::Task<std::size_t> read_more(std::span<std::byte> first);

    io::Loop& loop_;
    int descriptor_;
    storage::AlignedBuffer buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace sheaf::nbd

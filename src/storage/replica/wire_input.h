#pragma once

// Why: messages arrive in a stream that the network cuts anywhere. One receive brings as many of
// them as there are; each is given out whole, and checked as far as the stream itself is concerned.

#include <optional>

#include "io/byte_stream.h"
#include "storage/replica/messages.h"

namespace sheaf::replica {

struct Message {
    Header header;
    Bytes payload;
};

// The receiving side of a connection. Loop thread only; the stream outlives it.
class WireInput {
  public:
    explicit WireInput(io::ByteStream& stream) : stream_(stream), buffer_(capacity) {}

    // None where the stream has ended between two messages. Fails with corrupt where what comes is
    // no message.
    io::Task<std::optional<Message>> next();
    // The two halves of it, for who has to make room in between.
    io::Task<std::optional<Header>> next_header();
    io::Task<Bytes> payload_of(Header header);

  private:
    static constexpr std::size_t capacity = 256 << 10;

    // False where nothing more comes and nothing is left.
    io::Task<bool> fill(std::size_t length);

    io::ByteStream& stream_;
    Bytes buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace sheaf::replica

#pragma once

// Why: messages of one turn of the loop leave in one call at its end, in the order in which they
// were put; and what was put is the stream's own, so whoever put it may go.

#include "io/byte_stream.h"
#include "io/event.h"
#include "storage/replica/messages.h"

namespace sheaf::replica {

// The sending side of a connection. Loop thread only; loop and stream outlive it.
class WireOutput final : public io::TurnHook {
  public:
    WireOutput(io::Loop& loop, io::ByteStream& stream) : loop_(loop), stream_(stream) {}

    void put(const Header& header, std::span<const std::byte> payload);
    std::size_t waiting() const { return queued_.size(); }  // bytes not given to the stream yet
    // Sends what is put, until finish() was called and everything is sent. Fails where the stream
    // does. Calls `sent` after each call that has succeeded.
    io::Task<void> run(std::move_only_function<void()> sent);
    void finish();

  private:
    void turn_ended() override { wanted_.set(); }

    io::Loop& loop_;
    io::ByteStream& stream_;
    Bytes queued_;
    Bytes sending_;
    io::Event wanted_;
    bool finished_ = false;
};

}  // namespace sheaf::replica

#pragma once

// Why: requests end in any order and many in one turn of the loop; what they answer goes out
// together, in the order it came, at the pace of the client.

#include <deque>
#include <functional>

#include "io/event.h"
#include "io/loop.h"
#include "storage/nbd/reply.h"

namespace sheaf::nbd {

// The sending side of a connection. Loop thread only.
class ReplyQueue final : public io::TurnHook {
  public:
    struct Pending {
        Reply reply;
        std::size_t cost = 0;  // of the request, given back when the reply has been sent
    };
    // Told what has been sent: how many replies, and the sum of their costs.
    using Sent = std::move_only_function<void(std::size_t count, std::size_t cost)>;

    // The loop and the descriptor outlive this.
    ReplyQueue(io::Loop& loop, int descriptor, Sent sent)
        : loop_(loop), descriptor_(descriptor), sent_(std::move(sent)) {}

    // Sent at the end of this turn, or when those before it have been taken.
    void put(Pending pending);
    // Sends what is put, until finish() was called and everything is sent. Fails where the
    // connection does.
    io::Task<void> run();
    void finish();

  private:
    static constexpr std::size_t most_pieces = 256;  // in one call of the kernel

    void turn_ended() override { wanted_.set(); }

    io::Loop& loop_;
    int descriptor_;
    Sent sent_;
    std::deque<Pending> waiting_;
    std::vector<iovec> pieces_;
    io::Event wanted_;
    bool closed_ = false;
};

}  // namespace sheaf::nbd

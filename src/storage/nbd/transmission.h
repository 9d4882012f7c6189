#pragma once

// Why: once an export is chosen, requests come as fast as the client likes, are carried out at the
// same time, and are answered as they end. What is in flight is bounded: beyond that the server
// does not read on.

#include "io/task_group.h"
#include "storage/nbd/input.h"
#include "storage/nbd/reply_queue.h"
#include "storage/nbd/service.h"

namespace sheaf::nbd {

// One client's requests. Loop thread only.
class Transmission {
  public:
    static constexpr std::size_t most_requests = 128;
    static constexpr std::size_t most_bytes = most_payload;

    struct Counters {
        std::uint64_t requests = 0;
        std::uint64_t refused = 0;
        std::uint64_t failed = 0;
        std::string first_failure;  // of the disk
    };

    // All of them outlive this.
    Transmission(io::Loop& loop, int descriptor, Input& input, Agreed agreed);

    // Until the client says that it is done, goes away, breaks the protocol (a failure), or
    // finish_up() is called; in each case every request that was read ends first.
    io::Task<void> run();
    // Reads nothing more; what is in flight ends and is answered.
    void finish_up() { receiving_.cancel(); }

    const Counters& counters() const { return counters_; }
    const Export& exported() const { return service_.exported(); }

  private:
    io::Task<void> receive();
    io::Task<void> send();
    io::Task<void> take_request();
    io::Task<void> room_for(std::size_t cost);
    io::Task<void> refuse(Request request, Refusal refusal);
    io::Task<void> carry_out(Request request, std::size_t cost, storage::AlignedBuffer payload);
    bool fits(std::size_t cost) const;
    void sent(std::size_t count, std::size_t cost);

    Input& input_;
    Service service_;
    ReplyQueue replies_;
    Counters counters_;

    std::size_t requests_ = 0;  // in flight: read, and their replies not sent
    std::size_t bytes_ = 0;
    io::Event room_;
    bool disconnected_ = false;

    io::TaskGroup receiving_;
    io::TaskGroup work_;
    io::TaskGroup sending_;
};

}  // namespace sheaf::nbd

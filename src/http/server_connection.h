#pragma once

// Why: one client's requests, answered one after another in the order they came (RFC 9112, section
// 9.3), with a time limit on whatever the client owes.

#include "base/wall_clock.h"
#include "http/exchange.h"
#include "http/memory_budget.h"

namespace sheaf::http {

// Loop thread only. Whatever is passed outlives it.
class ServerConnection {
  public:
    struct Limits {
        io::Duration idle = std::chrono::seconds{90};   // until the next request begins
        io::Duration head = std::chrono::seconds{10};   // from its first byte on
        io::Duration body = std::chrono::seconds{30};   // from the end of the head on
        io::Duration send = std::chrono::seconds{30};   // each thing that is sent
        io::Duration linger = std::chrono::seconds{2};  // for a refused client to read why
    };

    // What all connections of a server share.
    struct Surroundings {
        io::Loop& loop;
        Handler& handler;
        const WallClock& clock;
        MemoryBudget& memory;  // of the requests
    };

    ServerConnection(Surroundings around, std::unique_ptr<io::ByteStream> stream, Peer peer,
                     const Limits& limits)
        : loop_(around.loop),
          stream_(std::move(stream)),
          peer_(std::move(peer)),
          handler_(around.handler),
          clock_(around.clock),
          memory_(around.memory),
          limits_(limits) {}

    // Until the client goes, is refused, or finish_up() was called. Never fails: how a client ends
    // is its own business.
    io::Task<void> serve();
    // Answers this instead of any request, and closes.
    io::Task<void> turn_away(Rejection why);
    // The request that is being answered is the last one.
    void finish_up();

  private:
    io::Task<void> read_request(RequestParser& parser);
    io::Task<void> read_head(RequestParser& parser);
    io::Task<void> read_body(RequestParser& parser);
    io::Task<void> receive_some();
    bool take(RequestParser& parser);
    void judge(const Result<void>& read);
    io::Task<bool> answer(ReceivedRequest request, bool keeps_open);
    io::Task<void> handle(Exchange& exchange);
    io::Task<void> reject(Rejection why);
    io::Task<void> drain();

    io::Loop& loop_;
    std::unique_ptr<io::ByteStream> stream_;
    Peer peer_;
    Handler& handler_;
    const WallClock& clock_;
    MemoryBudget::Share memory_;
    Limits limits_;
    std::string received_;  // and not parsed yet
    std::optional<Rejection> rejection_;
    io::TaskGroup* reading_ = nullptr;  // while a request is awaited
    Exchange* exchange_ = nullptr;      // while one is answered
    bool finishing_ = false;
};

}  // namespace sheaf::http

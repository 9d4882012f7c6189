#pragma once

// Why: one client's requests, answered one after another in the order they came (RFC 9112, section
// 9.3), with a time limit on whatever the client owes.

#include "base/wall_clock.h"
#include "http/exchange.h"

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

    ServerConnection(io::Loop& loop, std::unique_ptr<io::ByteStream> stream,
                     std::optional<PeerCredentials> peer, Handler& handler, const WallClock& clock,
                     const Limits& limits)
        : loop_(loop),
          stream_(std::move(stream)),
          peer_(peer),
          handler_(handler),
          clock_(clock),
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
    std::optional<PeerCredentials> peer_;
    Handler& handler_;
    const WallClock& clock_;
    Limits limits_;
    std::string received_;  // and not parsed yet
    std::optional<Rejection> rejection_;
    io::TaskGroup* reading_ = nullptr;  // while a request is awaited
    Exchange* exchange_ = nullptr;      // while one is answered
    bool finishing_ = false;
};

}  // namespace sheaf::http

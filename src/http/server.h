#pragma once

// Why: any number of clients, each on its own, and a bound on how many: one more is told so, and
// nobody else notices.

#include <set>

#include "base/log.h"
#include "base/metrics.h"
#include "http/server_connection.h"

namespace sheaf::http {

// Loop thread only. The process ignores SIGPIPE. Whatever is passed outlives it.
class Server {
  public:
    struct Limits {
        std::size_t connections = 1000;
        std::size_t refusals = 64;                          // clients that are being told of it
        std::size_t request_memory = 64 << 20;              // bytes of all requests together
        io::Duration handshake = std::chrono::seconds{10};  // of TLS
        io::Duration farewell = std::chrono::seconds{5};    // of who is being answered at the end
        ServerConnection::Limits connection;
    };

    Server(io::Loop& loop, Handler& handler, const WallClock& clock, const Logger& logger,
           const Limits& limits)
        : loop_(loop),
          handler_(handler),
          clock_(clock),
          logger_(logger),
          limits_(limits),
          memory_(limits.request_memory) {}

    // Speaks TLS with whoever connects from now on. The context outlives its use here: until
    // another one takes its place, or the server ends.
    void secure_by(const io::TlsContext& context) { security_ = &context; }

    // Serves who connects to this listening socket until stop() is called. Then nobody is taken any
    // more, who waits for an answer gets it within the time of the farewell, and all are closed.
    // Fails where no connection can be taken any more.
    io::Task<void> serve(int listener);
    void stop() { accepting_.cancel(); }

    std::size_t serving() const { return static_cast<std::size_t>(serving_.value()); }
    // The same, for who shows it.
    const Gauge& connections() const { return serving_; }
    // Bytes that requests may still take.
    std::size_t memory_left() const { return memory_.left(); }

  private:
    io::Task<void> accept(int listener);
    void take(Fd socket);
    io::Task<void> attend(Fd socket);
    io::Task<void> shake_hands(Fd socket, std::unique_ptr<io::TlsStream>& secured);
    io::Task<void> serve_stream(std::unique_ptr<io::ByteStream> stream, Peer peer);
    io::Task<void> turn_away(Fd socket);
    io::Task<void> end_farewell();

    io::Loop& loop_;
    Handler& handler_;
    const WallClock& clock_;
    const Logger& logger_;
    Limits limits_;
    MemoryBudget memory_;
    const io::TlsContext* security_ = nullptr;

    std::set<io::TaskGroup*> handshakes_;
    std::set<ServerConnection*> connections_;
    Gauge serving_;
    std::size_t refusing_ = 0;
    bool full_ = false;  // and the log says so
    io::TaskGroup accepting_;
    io::TaskGroup attending_;
    io::TaskGroup farewell_;
};

}  // namespace sheaf::http

#pragma once

// Why: a disk that any tool can read and write. Connections are bounded, each is on its own, and
// the server's end loses nothing that was answered.

#include <set>

#include "storage/nbd/connection.h"

namespace sheaf::nbd {

// Loop thread only. The process ignores SIGPIPE.
class Server {
  public:
    struct Limits {
        std::size_t connections = 64;
        std::size_t refusals = 64;  // clients that are being told that there is no room
        io::Duration negotiation = std::chrono::seconds{30};
        io::Duration refusal = std::chrono::seconds{5};
        io::Duration farewell = std::chrono::seconds{10};
    };

    // All of them outlive this.
    Server(io::Loop& loop, Exports& exports, const Logger& logger)
        : Server(loop, exports, logger, Limits{}) {}
    Server(io::Loop& loop, Exports& exports, const Logger& logger, const Limits& limits)
        : loop_(loop), exports_(exports), logger_(logger), limits_(limits) {}

    // Serves who connects to this listening socket until stop() is called; then what is in flight
    // ends and is answered, within the time of the farewell. Fails where no connection can be
    // taken any more. When it ends no client has an export open.
    io::Task<void> serve(int listener);
    void stop() { accepting_.cancel(); }

    std::size_t serving() const { return serving_; }
    std::size_t refusing() const { return refusing_; }

  private:
    io::Task<void> accept(int listener);
    io::Task<void> attend(Fd socket);
    io::Task<void> turn_away(Fd socket);
    io::Task<void> keep(Connection& connection);
    io::Task<void> end_farewell();
    void take(Fd socket);

    io::Loop& loop_;
    Exports& exports_;
    const Logger& logger_;
    Limits limits_;

    std::set<Connection*> connections_;
    std::size_t serving_ = 0;
    std::size_t refusing_ = 0;
    bool full_ = false;  // and the log says so
    io::Event ended_;    // one of the connections
    io::TaskGroup accepting_;
    io::TaskGroup attending_;
    io::TaskGroup farewell_;
};

}  // namespace sheaf::nbd

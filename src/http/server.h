#pragma once

// Why: any number of clients, each on its own, and a bound on how many: one more is told so, and
// nobody else notices.

#include <set>

#include "base/log.h"
#include "http/server_connection.h"

namespace sheaf::http {

// Loop thread only. The process ignores SIGPIPE. Whatever is passed outlives it.
class Server {
  public:
    struct Limits {
        std::size_t connections = 1000;
        std::size_t refusals = 64;                        // clients that are being told of it
        io::Duration farewell = std::chrono::seconds{5};  // of who is being answered at the end
        ServerConnection::Limits connection;
    };

    Server(io::Loop& loop, Handler& handler, const WallClock& clock, const Logger& logger,
           const Limits& limits)
        : loop_(loop), handler_(handler), clock_(clock), logger_(logger), limits_(limits) {}

    // Serves who connects to this listening socket until stop() is called. Then nobody is taken any
    // more, who waits for an answer gets it within the time of the farewell, and all are closed.
    // Fails where no connection can be taken any more.
    io::Task<void> serve(int listener);
    void stop() { accepting_.cancel(); }

    std::size_t serving() const { return serving_; }

  private:
    io::Task<void> accept(int listener);
    void take(Fd socket);
    io::Task<void> attend(Fd socket);
    io::Task<void> turn_away(Fd socket);
    io::Task<void> end_farewell();

    io::Loop& loop_;
    Handler& handler_;
    const WallClock& clock_;
    const Logger& logger_;
    Limits limits_;

    std::set<ServerConnection*> connections_;
    std::size_t serving_ = 0;
    std::size_t refusing_ = 0;
    bool full_ = false;  // and the log says so
    io::TaskGroup accepting_;
    io::TaskGroup attending_;
    io::TaskGroup farewell_;
};

}  // namespace sheaf::http

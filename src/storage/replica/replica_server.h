#pragma once

// Why: engines of other hosts reach the copies of this one. Connections are bounded, each is on its
// own, and what one of them does wrong costs that one.

#include <list>

#include "base/log.h"
#include "storage/replica/server_session.h"

namespace sheaf::replica {

// Loop thread only.
class ReplicaServer {
  public:
    static constexpr std::size_t most_connections = 256;

    // Loop, copies, authority and logger outlive it.
    ReplicaServer(io::Loop& loop, const ServerSession::Terms& terms, const Logger& logger)
        : loop_(loop), terms_(terms), logger_(logger) {}

    // Serves a connection that was made, beside the others; closes it where there are too many.
    void admit(std::unique_ptr<io::ByteStream> stream, Caller caller);
    std::size_t serving() const { return sessions_.size(); }
    // Takes nothing more; ends when what is in flight was carried out and answered.
    io::Task<void> shut_down();
    // Ends everything at once, as if the process had gone.
    io::Task<void> abandon();

  private:
    io::Task<void> serve(std::list<ServerSession>::iterator session);

    io::Loop& loop_;
    ServerSession::Terms terms_;
    const Logger& logger_;
    std::list<ServerSession> sessions_;
    io::TaskGroup group_;
    bool ending_ = false;
};

}  // namespace sheaf::replica

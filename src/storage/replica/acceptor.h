#pragma once

// Why: connections to a server of copies come over a socket, and those over TLS shake hands first;
// whoever does neither costs its own connection, and is not waited for.

#include "base/log.h"
#include "io/tls_context.h"
#include "storage/replica/replica_server.h"

namespace sheaf::replica {

// Loop thread only. The process ignores SIGPIPE. Loop, server, context and logger outlive it.
class Acceptor {
  public:
    static constexpr std::size_t most_handshakes = 64;  // at once; one more is closed

    // Without a context the way itself is trusted.
    Acceptor(io::Loop& loop, ReplicaServer& server, const io::TlsContext* tls, const Logger& logger)
        : loop_(loop), server_(server), tls_(tls), logger_(logger) {}

    // Gives the server whoever connects to this listening socket, until stop() is called.
    io::Task<void> serve(int listener);
    void stop() { accepting_.cancel(); }

  private:
    io::Task<void> accept(int listener);
    void take(Fd socket);
    io::Task<void> shake_hands(Fd socket);

    io::Loop& loop_;
    ReplicaServer& server_;
    const io::TlsContext* tls_;
    const Logger& logger_;
    io::TaskGroup accepting_;
    io::TaskGroup handshakes_;
};

}  // namespace sheaf::replica

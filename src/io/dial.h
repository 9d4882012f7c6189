#pragma once

// Why: a peer is named by host and port; the way to it (names, addresses, options of the socket) is
// the same for every protocol.

#include <string>

#include "base/fd.h"
#include "io/side_thread.h"

namespace sheaf::io {

// A host name or address (IPv6 without brackets) and a port.
struct HostPort {
    std::string host;
    std::string port;
    // As people write it: brackets around IPv6.
    std::string text() const;
};

// A TCP socket sends at once, and is given up by the kernel where the peer has been silent for ten
// seconds; what a listening one accepts inherits it.
void watch_peer(const Fd& socket);

// A connected TCP socket, to the first address that takes the connection. `resolver` looks up
// names. Its peer is watched. Fails with not_found where the name is unknown, else as connect(2);
// the text names the peer.
Task<Fd> dial(Loop& loop, SideThread& resolver, HostPort peer);

}  // namespace sheaf::io

#pragma once

// Why: who is at the other end of a connection is known before it says a word, by the kernel or by
// its certificate.

#include <sys/types.h>

#include <optional>
#include <vector>

#include "io/tls_stream.h"

namespace sheaf::http {

// Of a unix socket, as the kernel says.
struct PeerCredentials {
    uid_t user = 0;
    gid_t group = 0;
    pid_t process = 0;
    std::vector<gid_t> groups = {};  // beside it
};

// Both are missing where nobody vouches for the client.
struct Peer {
    std::optional<PeerCredentials> credentials;
    std::optional<io::TlsSubject> certified;  // by an authority that is believed
};

// Of a connected socket; a process that this one cannot see has credentials all the same. None
// where it is no unix socket.
std::optional<PeerCredentials> credentials_of(int socket);

}  // namespace sheaf::http

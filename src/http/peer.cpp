#include "http/peer.h"

#include <sys/socket.h>

namespace sheaf::http {

namespace {

// The kernel gives all of them or says how much room they take.
std::vector<gid_t> groups_of(int socket) {
    std::vector<gid_t> groups(64);
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    auto got = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
    if (got != 0 && errno == ERANGE) {
        groups.resize(size / sizeof(gid_t));
        got = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
    }
    groups.resize(got == 0 ? size / sizeof(gid_t) : 0);
    return groups;
}

}  // namespace

std::optional<PeerCredentials> credentials_of(int socket) {
    int domain = 0;
    socklen_t size = sizeof(domain);
    if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) return {};
    if (domain != AF_UNIX) return {};
    PeerCredentials credentials{.user = static_cast<uid_t>(-1)};
    ucred found{};
    socklen_t length = sizeof(found);
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &found, &length) != 0) return credentials;
    credentials.user = found.uid;
    credentials.group = found.gid;
    credentials.process = found.pid;
    credentials.groups = groups_of(socket);
    return credentials;
}

}  // namespace sheaf::http

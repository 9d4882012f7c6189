#include "io/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <bit>
#include <csignal>
#include <cstring>

namespace sheaf::io {

namespace {

constexpr int backlog = 128;
constexpr int let_go_ms = 2000;  // far more than it takes

template <class Address>
const sockaddr* generic(const Address& address) {
    return std::bit_cast<const sockaddr*>(&address);
}

Result<sockaddr_un> path_address(const std::string& path) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    if (path.empty() || path.size() >= sizeof(address.sun_path))
        return fail(Kind::invalid, "socket \"{}\": a path of 1 to {} bytes is needed", path,
                    sizeof(address.sun_path) - 1);
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

// Whether who listens there is a process that is no more. The kernel lets go of what a killed
// process had in io_uring a little after its end, and hangs up then.
bool is_let_go(const Fd& connected) {
    ucred server{};
    socklen_t length = sizeof(server);
    if (::getsockopt(connected.get(), SOL_SOCKET, SO_PEERCRED, &server, &length) != 0) return false;
    if (server.pid <= 0 || ::kill(server.pid, 0) == 0 || errno != ESRCH) return false;
    pollfd end{.fd = connected.get(), .events = POLLRDHUP, .revents = 0};
    return ::poll(&end, 1, let_go_ms) == 1;
}

// Whether the file is a socket at which nobody listens.
Result<bool> abandoned(const std::string& path, const sockaddr_un& address) {
    struct stat status{};
    TRY(checked(::lstat(path.c_str(), &status), "socket {}", path));
    if (!S_ISSOCK(status.st_mode))
        return fail(Kind::exists, "socket {}: there is a file of that name", path);
    const auto probe = TRY(checked_fd(
        ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket {}", path));
    if (::connect(probe.get(), generic(address), sizeof(address)) != 0)
        return errno == ECONNREFUSED;
    return is_let_go(probe);
}

struct PortAddress {
    sockaddr_storage bytes{};
    socklen_t length = 0;
};

Result<PortAddress> port_address(const HostPort& where) {
    const addrinfo wanted{.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                          .ai_socktype = SOCK_STREAM};
    addrinfo* first = nullptr;
    if (::getaddrinfo(where.host.c_str(), where.port.c_str(), &wanted, &first) != 0)
        return fail(Kind::invalid, "listening at {}: it is no address of a host, with a port",
                    where.text());
    PortAddress address{.bytes = {}, .length = first->ai_addrlen};
    std::memcpy(&address.bytes, first->ai_addr, first->ai_addrlen);
    ::freeaddrinfo(first);
    return address;
}

// The port in use, where the system chose it.
Result<std::uint16_t> port_of(const Fd& socket) {
    sockaddr_in6 bound{};
    socklen_t length = sizeof(bound);
    auto* address = std::bit_cast<sockaddr*>(&bound);
    TRY(checked(::getsockname(socket.get(), address, &length), "reading the port"));
    // Both families have it at the same place.
    return ntohs(bound.sin6_port);
}

}  // namespace

Listener::~Listener() {
    if (!path_.empty()) ::unlink(path_.c_str());
}

Result<Listener> Listener::at_path(const std::string& path) {
    const auto address = TRY(path_address(path));
    auto socket =
        TRY(checked_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket {}", path));
    // The file gets the mode that its socket has when it is bound.
    TRY(checked(::fchmod(socket.get(), 0600), "socket {}", path));
    auto bound = ::bind(socket.get(), generic(address), sizeof(address));
    if (bound != 0 && errno == EADDRINUSE) {
        if (!TRY(abandoned(path, address)))
            return fail(Kind::conflict, "socket {}: another server listens there", path);
        TRY(checked(::unlink(path.c_str()), "socket {}", path));
        bound = ::bind(socket.get(), generic(address), sizeof(address));
    }
    TRY(checked(bound, "socket {}", path));
    Listener listener{std::move(socket), path, 0};
    TRY(checked(::listen(listener.descriptor(), backlog), "socket {}", path));
    return listener;
}

Result<Listener> Listener::at_port(const HostPort& where) {
    const auto address = TRY(port_address(where));
    const auto what = "listening at " + where.text();
    auto socket = TRY(
        checked_fd(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "{}", what));
    // A server that is started again takes its port again. Accepted connections inherit the rest.
    const int on = 1;
    TRY(checked(::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "{}", what));
    watch_peer(socket);
    TRY(checked(::bind(socket.get(), generic(address.bytes), address.length), "{}", what));
    TRY(checked(::listen(socket.get(), backlog), "{}", what));
    const auto port = TRY(port_of(socket));
    return Listener{std::move(socket), {}, port};
}

}  // namespace sheaf::io

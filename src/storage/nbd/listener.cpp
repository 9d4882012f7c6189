#include "storage/nbd/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <bit>
#include <charconv>
#include <cstring>

namespace sheaf::nbd {

namespace {

constexpr int backlog = 128;

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

// Whether the file is a socket at which nobody listens.
Result<bool> abandoned(const std::string& path, const sockaddr_un& address) {
    struct stat status{};
    TRY(checked(::lstat(path.c_str(), &status), "socket {}", path));
    if (!S_ISSOCK(status.st_mode))
        return fail(Kind::exists, "socket {}: there is a file of that name", path);
    const auto probe = TRY(checked_fd(
        ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket {}", path));
    return ::connect(probe.get(), generic(address), sizeof(address)) != 0 && errno == ECONNREFUSED;
}

struct LoopbackAddress {
    sockaddr_storage bytes{};
    socklen_t length = 0;
};

Failure not_an_address(std::string_view text) {
    return fail(Kind::invalid, "\"{}\" is no address like 127.0.0.1:10809 or [::1]:10809", text);
}

Result<std::uint16_t> parse_port(std::string_view address, std::string_view text) {
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, port);
    if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end)
        return not_an_address(address);
    return port;
}

Result<LoopbackAddress> parse_address(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) return not_an_address(text);
    const auto port = TRY(parse_port(text, std::string_view{text}.substr(colon + 1)));
    auto host = text.substr(0, colon);
    LoopbackAddress address;
    bool loopback = false;
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        sockaddr_in6 six{.sin6_family = AF_INET6, .sin6_port = htons(port)};
        if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) != 1) return not_an_address(text);
        loopback = IN6_IS_ADDR_LOOPBACK(&six.sin6_addr) != 0;
        address.length = sizeof(six);
        std::memcpy(&address.bytes, &six, sizeof(six));
    } else {
        sockaddr_in four{.sin_family = AF_INET, .sin_port = htons(port)};
        if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) != 1) return not_an_address(text);
        loopback = ntohl(four.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
        address.length = sizeof(four);
        std::memcpy(&address.bytes, &four, sizeof(four));
    }
    if (!loopback)
        return fail(Kind::invalid,
                    "{} can be reached from other machines; without TLS only loopback is served",
                    text);
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
    Listener listener{std::move(socket), path, "nbd+unix:///?socket=" + path};
    TRY(checked(::listen(listener.descriptor(), backlog), "socket {}", path));
    return listener;
}

Result<Listener> Listener::at_address(const std::string& text) {
    const auto address = TRY(parse_address(text));
    auto socket = TRY(checked_fd(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0),
                                 "listening at {}", text));
    // Accepted connections inherit both; a server that is started again takes its port again.
    const int on = 1;
    TRY(checked(::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)),
                "listening at {}", text));
    TRY(checked(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)),
                "listening at {}", text));
    TRY(checked(::bind(socket.get(), generic(address.bytes), address.length), "listening at {}",
                text));
    TRY(checked(::listen(socket.get(), backlog), "listening at {}", text));
    const auto port = TRY(port_of(socket));
    auto uri = fmt::format("nbd://{}:{}", text.substr(0, text.rfind(':')), port);
    return Listener{std::move(socket), {}, std::move(uri)};
}

}  // namespace sheaf::nbd

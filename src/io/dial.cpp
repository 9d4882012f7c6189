#include "io/dial.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>
#include <vector>

namespace sheaf::io {

namespace {

struct Address {
    sockaddr_storage bytes{};
    socklen_t length = 0;
    int family = 0;
    const sockaddr* generic() const { return std::bit_cast<const sockaddr*>(&bytes); }
};

Failure unknown(const HostPort& peer, int code) {
    const auto kind = code == EAI_AGAIN ? Kind::unavailable : Kind::not_found;
    return fail(kind, "{}: {}", peer.text(), ::gai_strerror(code));
}

Result<std::vector<Address>> look_up(const HostPort& peer, int flags) {
    const addrinfo wanted{.ai_flags = flags | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    addrinfo* first = nullptr;
    const auto code = ::getaddrinfo(peer.host.c_str(), peer.port.c_str(), &wanted, &first);
    if (code != 0) return unknown(peer, code);
    std::vector<Address> found;
    for (const auto* entry = first; entry; entry = entry->ai_next) {
        Address address{.bytes = {}, .length = entry->ai_addrlen, .family = entry->ai_family};
        std::memcpy(&address.bytes, entry->ai_addr, entry->ai_addrlen);
        found.push_back(address);
    }
    ::freeaddrinfo(first);
    return found;
}

void set_option(const Fd& socket, int level, int option, int value) {
    // Each makes a failure seen sooner; without it the connection works too.
    static_cast<void>(::setsockopt(socket.get(), level, option, &value, sizeof(value)));
}

Result<Fd> make_socket(int family) {
    auto socket = TRY(checked_fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "a socket"));
    watch_peer(socket);
    return socket;
}

}  // namespace

void watch_peer(const Fd& socket) {
    constexpr int silence = 10;  // seconds
    set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, silence / 2);
    set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, silence / 5);
    set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, silence * 1000);
}

std::string HostPort::text() const {
    const auto ipv6 = host.find(':') != host.npos;
    return ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Task<Fd> dial(Loop& loop, SideThread& resolver, HostPort peer) {
    auto addresses = look_up(peer, AI_NUMERICHOST);
    if (!addresses) {
        auto ask = [&peer] { return look_up(peer, AI_ADDRCONFIG); };
        addresses = co_await resolver.call(std::move(ask)).result();
    }
    const auto found = co_await std::move(addresses);
    Result<void> connected = unknown(peer, EAI_NONAME);
    for (const auto& address : found) {
        auto socket = co_await make_socket(address.family);
        connected = co_await loop.connect(socket.get(), address.generic(), address.length).result();
        if (connected) co_return socket;
        if (connected.error().kind() == Kind::cancelled) break;
    }
    co_await Failure{std::move(connected).error().within(peer.text())};
    std::unreachable();
}

}  // namespace sheaf::io

#include "control/listen_address.h"

#include <arpa/inet.h>

#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "base/json_path.h"

namespace sheaf::control {

namespace {

Failure refused(std::string_view text) {
    return fail(Kind::invalid,
                "--listen {}: is neither \"none\" nor an address and a port, as 127.0.0.1:6444 or "
                "[::1]:6444",
                json::in_quotes(text));
}

template <class T>
void keep(ListenAddress& into, const T& address) {
    std::memcpy(&into.address, &address, sizeof(address));
    into.length = sizeof(address);
}

const sockaddr* generic(const sockaddr_storage& address) {
    return std::bit_cast<const sockaddr*>(&address);
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == text.npos) return refused(text);
    ListenAddress parsed;
    const auto number = text.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), parsed.port);
    if (error != std::errc{} || end != number.data() + number.size()) return refused(text);
    auto host = text.substr(0, colon);
    const auto bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    parsed.host = host;
    sockaddr_in four{};
    sockaddr_in6 six{};
    if (!bracketed && ::inet_pton(AF_INET, parsed.host.c_str(), &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        four.sin_port = htons(parsed.port);
        keep(parsed, four);
    } else if (bracketed && ::inet_pton(AF_INET6, parsed.host.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(parsed.port);
        keep(parsed, six);
    } else {
        return refused(text);
    }
    return parsed;
}

Result<Fd> listen_at(const ListenAddress& address, int backlog) {
    const auto what = fmt::format("listening at {} port {}", address.host, address.port);
    auto listener = TRY(
        checked_fd(::socket(address.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "{}", what));
    const int on = 1;
    // A daemon that starts again does not wait for the connections of the one before.
    TRY(checked(::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "{}",
                what));
    if (::bind(listener.get(), generic(address.address), address.length) != 0) {
        if (errno == EADDRINUSE)
            return fail(Kind::conflict,
                        "{}: somebody listens there; choose another with --listen, or none", what);
        return fail_os(errno, "{}", what);
    }
    TRY(checked(::listen(listener.get(), backlog), "{}", what));
    return listener;
}

Result<std::string> address_of(const Fd& listener) {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    TRY(checked(::getsockname(listener.get(), std::bit_cast<sockaddr*>(&address), &length),
                "the address of a socket"));
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET) {
        const auto& four = *std::bit_cast<const sockaddr_in*>(&address);
        ::inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
        return fmt::format("{}:{}", text.data(), ntohs(four.sin_port));
    }
    const auto& six = *std::bit_cast<const sockaddr_in6*>(&address);
    ::inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
    return fmt::format("[{}]:{}", text.data(), ntohs(six.sin6_port));
}

}  // namespace sheaf::control

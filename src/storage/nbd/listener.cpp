#include "storage/nbd/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>

namespace sheaf::nbd {

namespace {

Failure not_an_address(std::string_view text) {
    return fail(Kind::invalid, "\"{}\" is no address like 127.0.0.1:10809 or [::1]:10809", text);
}

Result<void> check_port(std::string_view address, std::string_view text) {
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, port);
    if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end)
        return not_an_address(address);
    return {};
}

Result<io::HostPort> parse_address(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) return not_an_address(text);
    io::HostPort where{text.substr(0, colon), text.substr(colon + 1)};
    TRY(check_port(text, where.port));
    in6_addr six{};
    in_addr four{};
    bool loopback = false;
    if (where.host.starts_with('[') && where.host.ends_with(']')) {
        where.host = where.host.substr(1, where.host.size() - 2);
        if (::inet_pton(AF_INET6, where.host.c_str(), &six) != 1) return not_an_address(text);
        loopback = IN6_IS_ADDR_LOOPBACK(&six) != 0;
    } else {
        if (::inet_pton(AF_INET, where.host.c_str(), &four) != 1) return not_an_address(text);
        loopback = ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    if (!loopback)
        return fail(Kind::invalid,
                    "{} can be reached from other machines; without TLS only loopback is served",
                    text);
    return where;
}

}  // namespace

Result<Listener> Listener::at_path(const std::string& path) {
    return Listener{TRY(io::Listener::at_path(path)), "nbd+unix:///?socket=" + path};
}

Result<Listener> Listener::at_address(const std::string& text) {
    auto listener = TRY(io::Listener::at_port(TRY(parse_address(text))));
    auto uri = fmt::format("nbd://{}:{}", text.substr(0, text.rfind(':')), listener.port());
    return Listener{std::move(listener), std::move(uri)};
}

}  // namespace sheaf::nbd

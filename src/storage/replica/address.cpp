#include "storage/replica/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>

namespace sheaf::replica {

namespace {

constexpr std::string_view unix_word = "unix:";
constexpr std::size_t longest_host = 253;

Failure no_address(std::string_view text) {
    return fail(Kind::invalid, "{:?} is no address like 10.0.0.1:7000, [fd00::1]:7000 or unix:PATH",
                text);
}

bool is_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, port);
    return !text.empty() && parsed.ec == std::errc{} && parsed.ptr == end;
}

bool is_name_or_number(std::string_view host) {
    return !host.empty() && host.size() <= longest_host &&
           host.find_first_not_of(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
               ".-_") == host.npos;
}

}  // namespace

bool Address::is_local() const {
    if (is_unix() || port.host == "localhost") return true;
    in_addr four{};
    if (::inet_pton(AF_INET, port.host.c_str(), &four) == 1)
        return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
    in6_addr six{};
    return ::inet_pton(AF_INET6, port.host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six) != 0;
}

std::string Address::text() const {
    return is_unix() ? std::string{unix_word} + path : port.text();
}

Result<Address> parse_address(std::string_view text) {
    if (text.starts_with(unix_word)) {
        Address address{.port = {}, .path = std::string{text.substr(unix_word.size())}};
        if (address.path.empty()) return no_address(text);
        return address;
    }
    const auto colon = text.rfind(':');
    if (colon == text.npos || !is_port(text.substr(colon + 1))) return no_address(text);
    auto host = text.substr(0, colon);
    const auto in_brackets = host.starts_with('[') && host.ends_with(']');
    if (in_brackets) host = host.substr(1, host.size() - 2);
    Address address{.port = {std::string{host}, std::string{text.substr(colon + 1)}}, .path = {}};
    in6_addr six{};
    const auto sound = in_brackets ? ::inet_pton(AF_INET6, address.port.host.c_str(), &six) == 1
                                   : is_name_or_number(host);
    if (!sound) return no_address(text);
    return address;
}

}  // namespace sheaf::replica

#include "http/url.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/json_path.h"

namespace sheaf::http {

namespace {

bool is_of_a_host(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' || letter == '_';
}

bool is_of_an_address(char letter) {
    return is_of_a_host(letter) || letter == ':' || letter == '%';
}

bool is_port(std::string_view text) {
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() && number != 0;
}

bool take(std::string_view& text, std::string_view start) {
    if (!text.starts_with(start)) return false;
    text.remove_prefix(start.size());
    return true;
}

Failure refused(std::string_view text, std::string_view reason) {
    return fail(Kind::invalid, "URL {}: {}", json::in_quotes(text), reason);
}

}  // namespace

std::string Url::text() const {
    return (secure ? "https://" : "http://") + peer.text();
}

Result<Url> parse_url(std::string_view text) {
    auto rest = text;
    Url url;
    url.secure = take(rest, "https://");
    if (!url.secure && !take(rest, "http://"))
        return refused(text, "begins neither with http:// nor with https://");
    if (rest.ends_with('/')) rest.remove_suffix(1);
    const auto ipv6 = take(rest, "[");
    const auto end = std::min(rest.find(ipv6 ? ']' : ':'), rest.size());
    url.peer.host = rest.substr(0, end);
    if (ipv6 && end == rest.size()) return refused(text, "a bracket is not closed");
    rest.remove_prefix(ipv6 ? end + 1 : end);
    if (url.peer.host.empty() || url.peer.host.size() > 255 ||
        !std::ranges::all_of(url.peer.host, ipv6 ? is_of_an_address : is_of_a_host))
        return refused(text, "has no host, or one that cannot be");
    url.peer.port = url.secure ? "443" : "80";
    if (rest.empty()) return url;
    if (!take(rest, ":") || !is_port(rest))
        return refused(text, "ends in neither a host nor a port of 1 to 65535");
    url.peer.port = rest;
    return url;
}

}  // namespace sheaf::http

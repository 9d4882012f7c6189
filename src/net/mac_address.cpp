#include "net/mac_address.h"

#include <charconv>

#include <fmt/format.h>

namespace sheaf::net {

Result<MacAddress> parse_mac_address(std::string_view text) {
    const auto refuse = [text] {
        return fail(Kind::invalid, "\"{}\" is not a MAC address such as 52:54:00:12:34:56", text);
    };
    constexpr std::size_t length = 17;
    if (text.size() != length) return refuse();
    MacAddress address;
    for (std::size_t index = 0; index < address.octets.size(); ++index) {
        const auto* digits = text.data() + index * 3;
        const auto parsed = std::from_chars(digits, digits + 2, address.octets[index], 16);
        if (parsed.ec != std::errc{} || parsed.ptr != digits + 2) return refuse();
        if (index + 1 < address.octets.size() && digits[2] != ':') return refuse();
    }
    if (address.is_multicast() || address == MacAddress{})
        return fail(Kind::invalid, "\"{}\" is no address a single card can have", text);
    return address;
}

std::string to_string(const MacAddress& address) {
    return fmt::format("{:02x}", fmt::join(address.octets, ":"));
}

}  // namespace sheaf::net

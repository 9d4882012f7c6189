#pragma once

// Why: the address of a network card, as people write it and as frames carry it.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sheaf::net {

struct MacAddress {
    std::array<std::uint8_t, 6> octets{};
    bool operator==(const MacAddress&) const = default;
    bool is_multicast() const { return (octets[0] & 1) != 0; }
};

// "52:54:00:12:34:56"; fails with invalid for anything else, and for what no card may have: a
// multicast address or all zeroes.
Result<MacAddress> parse_mac_address(std::string_view text);
std::string to_string(const MacAddress& address);

}  // namespace sheaf::net

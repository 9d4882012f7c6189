#pragma once

// Why: a process that opens nothing is handed what it needs: open descriptors beside a packet
// (unix(7), SCM_RIGHTS).

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace sheaf::node {

inline constexpr std::size_t most_passed = 4;             // descriptors beside a packet
inline constexpr std::size_t passed_packet_limit = 4096;  // bytes

// Sends one packet now, with copies of descriptors.
Result<void> send_with_descriptors(int socket, std::string_view packet,
                                   std::span<const int> descriptors);

struct PassedPacket {
    std::string packet;
    std::vector<Fd> descriptors;  // close-on-exec
};

// Takes the packet that is there; an empty one once the other end has closed. Fails with corrupt
// where it is longer than a packet may be.
Result<PassedPacket> receive_with_descriptors(int socket);

// The same for a packet that is one number, with at most one descriptor: -1 for none.
Result<void> send_with_descriptor(int socket, std::uint32_t number, int descriptor);

struct PassedDescriptor {
    std::uint32_t number = 0;
    Fd descriptor;  // none where none was sent
};

// None once the other end has closed. Fails with corrupt where it is not one number.
Result<std::optional<PassedDescriptor>> receive_with_descriptor(int socket);

}  // namespace sheaf::node

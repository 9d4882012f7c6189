#pragma once

// Why: the header in front of every frame between a tap and a guest (virtio 1.2, section 5.1.6).

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace sheaf::net {

struct VnetHeader {
    std::uint8_t flags = 0;
    std::uint8_t gso_type = 0;
    std::uint16_t header_length = 0;
    std::uint16_t gso_size = 0;
    std::uint16_t checksum_start = 0;
    std::uint16_t checksum_offset = 0;
    std::uint16_t num_buffers = 0;
};
static_assert(sizeof(VnetHeader) == 12 && WireStruct<VnetHeader>);

inline constexpr std::size_t ethernet_header_size = 14;
// The longest frame that segmentation offload makes: an IP packet of 64 KiB behind its headers.
inline constexpr std::size_t longest_frame = 65536 + ethernet_header_size + sizeof(VnetHeader);

}  // namespace sheaf::net

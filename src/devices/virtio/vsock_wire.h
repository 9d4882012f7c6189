#pragma once

// Why: the numbers of the socket device's protocol (virtio 1.2, section 5.10).

#include <cstdint>

#include "base/bytes.h"
#include "base/units.h"

namespace sheaf::virtio {

// What every packet begins with, section 5.10.6.
struct [[gnu::packed]] VsockHeader {
    std::uint64_t source_cid = 0;
    std::uint64_t destination_cid = 0;
    std::uint32_t source_port = 0;
    std::uint32_t destination_port = 0;
    std::uint32_t length = 0;  // of the payload
    std::uint16_t type = 0;
    std::uint16_t operation = 0;
    std::uint32_t flags = 0;
    std::uint32_t buffer_size = 0;      // the sender's room for payload
    std::uint32_t forwarded_count = 0;  // how much payload it has passed on, modulo 2^32
};
static_assert(sizeof(VsockHeader) == 44 && WireStruct<VsockHeader>);

enum class VsockOperation : std::uint16_t {
    request = 1,
    response = 2,
    reset = 3,
    shutdown = 4,
    data = 5,
    credit_update = 6,
    credit_request = 7,
};

namespace vsock_wire {

inline constexpr unsigned f_stream = 0;
inline constexpr std::uint64_t host_cid = 2;
inline constexpr std::uint64_t least_guest_cid = 3;
inline constexpr std::uint64_t most_guest_cid = 0xfffffffe;
inline constexpr std::uint16_t type_stream = 1;
// Flags of a shutdown: what its sender will not do any more.
inline constexpr std::uint32_t no_receive = 1;
inline constexpr std::uint32_t no_send = 2;

inline constexpr std::uint32_t most_payload = 64_KiB;

}  // namespace vsock_wire

}  // namespace sheaf::virtio

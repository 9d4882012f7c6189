#pragma once

// Why: what a guest sends is a header that says how much follows. This is where it is believed or
// not.

#include <vector>

#include "devices/virtio/chain.h"
#include "devices/virtio/vsock_wire.h"

namespace sheaf::virtio {

// Takes the header of a guest's packet; what remains in `packet` is at least header.length long.
// Fails with invalid where it is too short, or is not from this guest to its host.
Result<VsockHeader> take_vsock_header(Readable& packet, std::uint64_t guest_cid);

// The answer to a packet of which no connection knows (section 5.10.6.4.1).
VsockHeader reset_for(const VsockHeader& packet);

// Puts into `window` the pieces of `bytes` that hold at most `length` bytes from `start` on, as
// many as the kernel takes at once.
void make_window(std::span<const iovec> bytes, std::size_t start, std::size_t length,
                 std::vector<iovec>& window);

}  // namespace sheaf::virtio

#include "devices/virtio/vsock_packet.h"

#include <algorithm>
#include <utility>

namespace sheaf::virtio {

namespace {

constexpr std::size_t most_pieces = 1024;  // IOV_MAX

}  // namespace

Result<VsockHeader> take_vsock_header(Readable& packet, std::uint64_t guest_cid) {
    const auto header = TRY(packet.take<VsockHeader>());
    if (header.source_cid != guest_cid || header.destination_cid != vsock_wire::host_cid)
        return fail(Kind::invalid, "a packet from {} to {}", +header.source_cid,
                    +header.destination_cid);
    if (header.length > packet.size())
        return fail(Kind::invalid, "a payload of {} bytes in {}", +header.length, packet.size());
    return header;
}

VsockHeader reset_for(const VsockHeader& packet) {
    return {.source_cid = packet.destination_cid,
            .destination_cid = packet.source_cid,
            .source_port = packet.destination_port,
            .destination_port = packet.source_port,
            .type = packet.type,
            .operation = std::to_underlying(VsockOperation::reset)};
}

void make_window(std::span<const iovec> bytes, std::size_t start, std::size_t length,
                 std::vector<iovec>& window) {
    window.clear();
    for (const auto& piece : bytes) {
        if (length == 0 || window.size() == most_pieces) return;
        const auto skipped = std::min(start, piece.iov_len);
        start -= skipped;
        const auto taken = std::min(length, piece.iov_len - skipped);
        length -= taken;
        if (taken > 0) window.push_back({static_cast<std::byte*>(piece.iov_base) + skipped, taken});
    }
}

}  // namespace sheaf::virtio

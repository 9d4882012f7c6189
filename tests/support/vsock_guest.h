#pragma once

// Why: tests of the socket device speak to it as a guest's driver does: packets out, buffers in.

#include <utility>

#include "devices/virtio/vsock.h"
#include "support/served_device.h"
#include "support/turns.h"

namespace sheaf::test {

struct VsockPacket {
    virtio::VsockHeader header;
    std::vector<std::byte> payload;

    virtio::VsockOperation operation() const {
        return static_cast<virtio::VsockOperation>(+header.operation);
    }
};

// The driver of a served socket device.
class VsockGuest {
  public:
    static constexpr std::uint64_t cid = 7;
    static constexpr std::uint32_t room = 64_KiB;  // of payload, as the guest says

    VsockGuest(io::Loop& loop, ServedDevice& served) : loop_(loop), served_(served) {}

    // Gives the device buffers to send into.
    void offer_buffers(unsigned count, std::uint32_t payload = 4096) {
        for (unsigned i = 0; i < count; ++i)
            served_.driver(0).chain().writable(44).writable(payload).offer();
        served_.ring(0);
    }

    static virtio::VsockHeader header(virtio::VsockKey key, virtio::VsockOperation operation) {
        return {.source_cid = cid,
                .destination_cid = virtio::vsock_wire::host_cid,
                .source_port = key.guest_port,
                .destination_port = key.host_port,
                .type = virtio::vsock_wire::type_stream,
                .operation = std::to_underlying(operation),
                .buffer_size = room};
    }
    void send(const virtio::VsockHeader& header, std::string_view payload = {}) {
        auto chain = served_.driver(1).chain();
        chain.readable(header);
        if (!payload.empty()) chain.readable(as_bytes(payload));
        chain.offer();
        served_.ring(1);
        turn(loop_);
        while (served_.driver(1).take_used()) ++sent_;
    }
    void send(virtio::VsockKey key, virtio::VsockOperation operation) {
        send(header(key, operation));
    }
    void send_data(virtio::VsockKey key, std::string_view payload) {
        auto data = header(key, virtio::VsockOperation::data);
        data.length = static_cast<std::uint32_t>(payload.size());
        data.forwarded_count = received_bytes_;
        send(data, payload);
    }
    unsigned sent() const { return sent_; }  // packets that the device took

    // The next packet of the device, if it has sent one by now.
    std::optional<VsockPacket> poll() {
        turn(loop_);
        return take();
    }
    // The same, waiting for it; aborts where there is none in our patience.
    VsockPacket receive() {
        std::optional<VsockPacket> packet;
        const auto came = [&] { return (packet = take()).has_value(); };
        if (!run_until(loop_, came)) std::abort();
        return *std::move(packet);
    }

  private:
    // Of the packets that came; buffers that came back without one are passed over.
    std::optional<VsockPacket> take() {
        while (const auto used = served_.driver(0).take_used()) {
            const auto bytes = served_.driver(0).written(*used);
            if (bytes.size() < sizeof(virtio::VsockHeader)) continue;
            auto packet = VsockPacket{.header = load<virtio::VsockHeader>(bytes), .payload = {}};
            packet.payload.assign(bytes.begin() + sizeof(virtio::VsockHeader), bytes.end());
            received_bytes_ += static_cast<std::uint32_t>(packet.payload.size());
            return packet;
        }
        return std::nullopt;
    }

    io::Loop& loop_;
    ServedDevice& served_;
    unsigned sent_ = 0;
    std::uint32_t received_bytes_ = 0;  // of payload, on all connections
};

}  // namespace sheaf::test

#include <linux/virtio_net.h>

#include "devices/virtio/net.h"
#include "devices/virtio/net_features.h"

namespace sheaf::virtio {

namespace {

struct CommandHeader {
    std::uint8_t command_class;
    std::uint8_t command;
};

constexpr std::uint16_t vlan_count = 4096;

Failure unknown(std::uint8_t command) {
    return fail(Kind::unsupported, "command {}", command);
}

// The one value that a command carries, and nothing after it.
template <WireStruct T>
Result<T> only(Readable& data) {
    const auto value = TRY(data.take<T>());
    if (data.size() > 0) return fail(Kind::invalid, "{} bytes too many", data.size());
    return value;
}

Result<void> skip_address_table(Readable& data) {
    const std::uint64_t count = TRY(data.take<std::uint32_t>());
    return data.skip(count * sizeof(net::MacAddress));
}

}  // namespace

// Commands of the driver (virtio 1.2, section 5.1.6.5), answered one after the other. What is
// wrong with one of them the driver learns from the answer.
io::Task<void> Net::serve_control(Queue& queue) {
    while (auto chain = co_await queue.next()) {
        const auto obeyed = obey(chain->readable());
        const std::uint8_t answer = obeyed ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
        if (chain->writable().put(answer)) chain->set_written(sizeof(answer));
    }
}

Result<void> Net::obey(Readable& data) {
    const auto header = TRY(data.take<CommandHeader>());
    switch (header.command_class) {
        case VIRTIO_NET_CTRL_RX: return obey_receive_mode(header.command, data);
        case VIRTIO_NET_CTRL_MAC: return obey_mac(header.command, data);
        case VIRTIO_NET_CTRL_VLAN: return obey_vlan(header.command, data);
        case VIRTIO_NET_CTRL_ANNOUNCE: return obey_announce(header.command);
        case VIRTIO_NET_CTRL_MQ: return obey_pairs(header.command, data);
        case VIRTIO_NET_CTRL_GUEST_OFFLOADS: return obey_offloads(header.command, data);
        default: return fail(Kind::unsupported, "command class {}", header.command_class);
    }
}

// Filtering is the device's best effort by the specification, and this one passes on whatever the
// port delivers; the modes are checked and acknowledged.
Result<void> Net::obey_receive_mode(std::uint8_t command, Readable& data) {
    if (command > VIRTIO_NET_CTRL_RX_NOBCAST) return unknown(command);
    const auto needed = command <= VIRTIO_NET_CTRL_RX_ALLMULTI ? VIRTIO_NET_F_CTRL_RX
                                                               : VIRTIO_NET_F_CTRL_RX_EXTRA;
    if (!has(needed)) return unknown(command);
    const auto mode = TRY(only<std::uint8_t>(data));
    if (mode > 1) return fail(Kind::invalid, "mode {}", mode);
    return {};
}

Result<void> Net::obey_mac(std::uint8_t command, Readable& data) {
    if (command == VIRTIO_NET_CTRL_MAC_TABLE_SET && has(VIRTIO_NET_F_CTRL_RX)) {
        TRY(skip_address_table(data));  // unicast
        TRY(skip_address_table(data));  // multicast
        return {};
    }
    if (command != VIRTIO_NET_CTRL_MAC_ADDR_SET || !has(VIRTIO_NET_F_CTRL_MAC_ADDR))
        return unknown(command);
    const auto address = TRY(only<net::MacAddress>(data));
    if (address.is_multicast()) return fail(Kind::invalid, "a multicast address");
    set_mac(address);
    return {};
}

Result<void> Net::obey_vlan(std::uint8_t command, Readable& data) {
    if (command > VIRTIO_NET_CTRL_VLAN_DEL || !has(VIRTIO_NET_F_CTRL_VLAN)) return unknown(command);
    const auto vlan = TRY(only<std::uint16_t>(data));
    if (vlan >= vlan_count) return fail(Kind::invalid, "VLAN {}", vlan);
    return {};
}

Result<void> Net::obey_announce(std::uint8_t command) {
    if (command != VIRTIO_NET_CTRL_ANNOUNCE_ACK || !has(VIRTIO_NET_F_GUEST_ANNOUNCE))
        return unknown(command);
    status_.fetch_and(static_cast<std::uint16_t>(~VIRTIO_NET_S_ANNOUNCE));
    return {};
}

Result<void> Net::obey_pairs(std::uint8_t command, Readable& data) {
    if (command != VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET || !has(VIRTIO_NET_F_MQ))
        return unknown(command);
    const auto count = TRY(only<std::uint16_t>(data));
    if (count < 1 || count > pairs_.size()) return fail(Kind::invalid, "{} queue pairs", count);
    return use_pairs(count);
}

Result<void> Net::obey_offloads(std::uint8_t command, Readable& data) {
    if (command != VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET || !has(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS))
        return unknown(command);
    constexpr auto switchable =
        feature(VIRTIO_NET_F_GUEST_CSUM) | feature(VIRTIO_NET_F_GUEST_TSO4) |
        feature(VIRTIO_NET_F_GUEST_TSO6) | feature(VIRTIO_NET_F_GUEST_ECN) |
        feature(net_feature_guest_uso4) | feature(net_feature_guest_uso6);
    const auto wanted = TRY(only<std::uint64_t>(data));
    if (wanted & ~(negotiated_ & switchable))
        return fail(Kind::invalid, "offloads {:#x} were not negotiated", wanted);
    return port_.accept(accepted_offloads(wanted));
}

// A pair that goes out of use stops waiting for frames before its queue of the port is switched
// off, and one that comes into use finds it switched on.
Result<void> Net::use_pairs(std::size_t count) {
    for (std::size_t index = count; index < pairs_.size(); ++index) pairs_[index]->in_use.clear();
    TRY(port_.use_queues(count));
    for (std::size_t index = 0; index < count; ++index) pairs_[index]->in_use.set();
    return {};
}

}  // namespace sheaf::virtio

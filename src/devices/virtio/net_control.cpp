#include "devices/virtio/net.h"
#include "devices/virtio/net_wire.h"

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
        const std::uint8_t answer = obeyed ? net_wire::answer_ok : net_wire::answer_error;
        if (chain->writable().put(answer)) chain->set_written(sizeof(answer));
    }
}

Result<void> Net::obey(Readable& data) {
    const auto header = TRY(data.take<CommandHeader>());
    switch (header.command_class) {
        case net_wire::class_rx: return obey_receive_mode(header.command, data);
        case net_wire::class_mac: return obey_mac(header.command, data);
        case net_wire::class_vlan: return obey_vlan(header.command, data);
        case net_wire::class_announce: return obey_announce(header.command);
        case net_wire::class_mq: return obey_pairs(header.command, data);
        case net_wire::class_guest_offloads: return obey_offloads(header.command, data);
        default: return fail(Kind::unsupported, "command class {}", header.command_class);
    }
}

// Filtering is the device's best effort by the specification, and this one passes on whatever the
// port delivers; the modes are checked and acknowledged.
Result<void> Net::obey_receive_mode(std::uint8_t command, Readable& data) {
    if (command > net_wire::rx_nobcast) return unknown(command);
    const auto needed =
        command <= net_wire::rx_allmulti ? net_wire::f_ctrl_rx : net_wire::f_ctrl_rx_extra;
    if (!has(needed)) return unknown(command);
    const auto mode = TRY(only<std::uint8_t>(data));
    if (mode > 1) return fail(Kind::invalid, "mode {}", mode);
    return {};
}

Result<void> Net::obey_mac(std::uint8_t command, Readable& data) {
    if (command == net_wire::mac_table_set && has(net_wire::f_ctrl_rx)) {
        TRY(skip_address_table(data));  // unicast
        TRY(skip_address_table(data));  // multicast
        return {};
    }
    if (command != net_wire::mac_addr_set || !has(net_wire::f_ctrl_mac_addr))
        return unknown(command);
    const auto address = TRY(only<net::MacAddress>(data));
    if (address.is_multicast()) return fail(Kind::invalid, "a multicast address");
    set_mac(address);
    return {};
}

Result<void> Net::obey_vlan(std::uint8_t command, Readable& data) {
    if (command > net_wire::vlan_del || !has(net_wire::f_ctrl_vlan)) return unknown(command);
    const auto vlan = TRY(only<std::uint16_t>(data));
    if (vlan >= vlan_count) return fail(Kind::invalid, "VLAN {}", vlan);
    return {};
}

Result<void> Net::obey_announce(std::uint8_t command) {
    if (command != net_wire::announce_ack || !has(net_wire::f_guest_announce))
        return unknown(command);
    status_.fetch_and(static_cast<std::uint16_t>(~net_wire::status_announce));
    return {};
}

Result<void> Net::obey_pairs(std::uint8_t command, Readable& data) {
    if (command != net_wire::mq_pairs_set || !has(net_wire::f_mq)) return unknown(command);
    const auto count = TRY(only<std::uint16_t>(data));
    if (count < 1 || count > pairs_.size()) return fail(Kind::invalid, "{} queue pairs", count);
    return port_.use_queues(count);
}

Result<void> Net::obey_offloads(std::uint8_t command, Readable& data) {
    if (command != net_wire::guest_offloads_set || !has(net_wire::f_ctrl_guest_offloads))
        return unknown(command);
    constexpr auto switchable = feature(net_wire::f_guest_csum) | feature(net_wire::f_guest_tso4) |
                                feature(net_wire::f_guest_tso6) | feature(net_wire::f_guest_ecn) |
                                feature(net_wire::f_guest_uso4) | feature(net_wire::f_guest_uso6);
    const auto wanted = TRY(only<std::uint64_t>(data));
    if (wanted & ~(negotiated_ & switchable))
        return fail(Kind::invalid, "offloads {:#x} were not negotiated", wanted);
    return port_.accept(accepted_offloads(wanted));
}

}  // namespace sheaf::virtio

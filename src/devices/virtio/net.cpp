#include "devices/virtio/net.h"

#include <algorithm>

#include "devices/virtio/net_wire.h"
#include "net/vnet_header.h"

namespace sheaf::virtio {

namespace {

Features offered_features(const net::Offloads& offloads) {
    if (!offloads.checksum) return 0;
    auto features = feature(net_wire::f_csum) | feature(net_wire::f_guest_csum) |
                    feature(net_wire::f_ctrl_guest_offloads);
    if (offloads.tso4) features |= feature(net_wire::f_host_tso4) | feature(net_wire::f_guest_tso4);
    if (offloads.tso6) features |= feature(net_wire::f_host_tso6) | feature(net_wire::f_guest_tso6);
    if (offloads.ecn) features |= feature(net_wire::f_host_ecn) | feature(net_wire::f_guest_ecn);
    if (offloads.uso)
        features |= feature(net_wire::f_host_uso) | feature(net_wire::f_guest_uso4) |
                    feature(net_wire::f_guest_uso6);
    return features;
}

Features features_of(const net::Port& port, const Net::Options& options) {
    auto features = offered_features(port.offered()) | feature(net_wire::f_mac) |
                    feature(net_wire::f_mrg_rxbuf) | feature(net_wire::f_status) |
                    feature(net_wire::f_ctrl_vq) | feature(net_wire::f_ctrl_rx) |
                    feature(net_wire::f_ctrl_rx_extra) | feature(net_wire::f_ctrl_vlan) |
                    feature(net_wire::f_ctrl_mac_addr) | feature(net_wire::f_guest_announce);
    if (options.mtu) features |= feature(net_wire::f_mtu);
    if (port.queue_count() > 1) features |= feature(net_wire::f_mq);
    return features;
}

// A receive and a transmit queue for each pair, and the control queue.
std::vector<std::uint16_t> queue_sizes_of(const net::Port& port, std::uint16_t size) {
    std::vector<std::uint16_t> sizes(port.queue_count() * 2, size);
    sizes.push_back(64);
    return sizes;
}

}  // namespace

net::Offloads accepted_offloads(Features features) {
    const auto has = [features](unsigned bit) { return (features & feature(bit)) != 0; };
    return {.checksum = has(net_wire::f_guest_csum),
            .tso4 = has(net_wire::f_guest_tso4),
            .tso6 = has(net_wire::f_guest_tso6),
            .ecn = has(net_wire::f_guest_ecn),
            .uso = has(net_wire::f_guest_uso4) && has(net_wire::f_guest_uso6)};
}

Net::Net(net::Port& port, const Options& options)
    : port_(port),
      traits_{.type = DeviceType::net,
              .features = features_of(port, options),
              .queue_sizes = queue_sizes_of(port, options.queue_size),
              .config_size = sizeof(NetConfig),
              .pci_class = 0x020000},
      status_(net_wire::status_link_up),
      mtu_(options.mtu.value_or(0)) {
    set_mac(options.mac);
    while (pairs_.size() < port.queue_count()) pairs_.push_back(std::make_unique<Pair>());
}

void Net::read_config(std::uint32_t offset, std::span<std::byte> data) const {
    const NetConfig config{.mac = mac().octets,
                           .status = status_.load(),
                           .max_virtqueue_pairs = static_cast<std::uint16_t>(pairs_.size()),
                           .mtu = mtu_};
    std::ranges::copy(bytes_of(config).subspan(offset, data.size()), data.begin());
}

net::MacAddress Net::mac() const {
    const auto number = mac_.load();
    return load<net::MacAddress>(bytes_of(number));
}

void Net::set_mac(const net::MacAddress& address) {
    std::uint64_t number = 0;
    store(std::as_writable_bytes(std::span{&number, 1}), address);
    mac_.store(number);
}

Result<void> Net::activate(Features features) {
    negotiated_ = features;
    TRY(port_.accept(accepted_offloads(features)));
    return port_.use_queues(1);
}

void Net::deactivate() {
    negotiated_ = 0;
    status_.fetch_and(static_cast<std::uint16_t>(~net_wire::status_announce));
}

void Net::set_link(Link link) {
    if (link == Link::up) {
        status_.fetch_or(net_wire::status_link_up);
    } else {
        status_.fetch_and(static_cast<std::uint16_t>(~net_wire::status_link_up));
    }
    config_changed();
}

void Net::announce() {
    if (!has(net_wire::f_guest_announce)) return;
    status_.fetch_or(net_wire::status_announce);
    config_changed();
}

// The queues that exist depend on what was negotiated: without MQ there is one pair, and the
// control queue follows it (virtio 1.2, section 5.1.2).
io::Task<void> Net::serve(Queue& queue) {
    const auto pairs = has(net_wire::f_mq) ? pairs_.size() : 1;
    if (queue.index() < pairs * 2) return serve_pair(queue);
    return serve_control(queue);
}

io::Task<void> Net::serve_pair(Queue& queue) {
    ChainStock stock;
    const std::size_t index = queue.index() / 2;
    auto& port = port_.queue(index);
    if (queue.index() % 2 == 0) {
        co_await serve_from_stock(queue, stock,
                                  receive_frames(*pairs_[index], port, stock, queue.size()));
    } else {
        co_await serve_from_stock(queue, stock, transmit_frames(port, stock));
    }
}

// Each frame leaves straight from guest memory. What the port refuses is gone, as on any cable.
io::Task<void> Net::transmit_frames(net::PortQueue& port, ChainStock& stock) {
    while (true) {
        if (stock.empty()) co_await stock.wait_for_more_than(0);
        auto chain = stock.take();
        if (transmits(chain)) {
            auto sent = co_await port.send(chain.readable().vectors()).result();
            if (sent) continue;
            if (sent.error().kind() == Kind::cancelled) co_await std::move(sent);
        }
        drops_.transmitted.fetch_add(1, std::memory_order_relaxed);
    }
}

bool Net::transmits(Chain& chain) const {
    const auto size = chain.readable().size();
    return size >= sizeof(net::VnetHeader) + net::ethernet_header_size &&
           size <= net::longest_frame && (status_.load() & net_wire::status_link_up);
}

}  // namespace sheaf::virtio

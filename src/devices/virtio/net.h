#pragma once

// Why: the guest's network card (virtio 1.2, section 5.1) over any net::Port. Frames move straight
// between guest memory and the port; each queue pair has its own pace.
// Features and what is missing: docs/devices/virtio-net.md.

#include <atomic>
#include <memory>
#include <optional>

#include "devices/virtio/chain_stock.h"
#include "devices/virtio/device.h"
#include "net/mac_address.h"
#include "net/port.h"

namespace sheaf::virtio {

// Device configuration (virtio 1.2, section 5.1.4).
struct NetConfig {
    std::array<std::uint8_t, 6> mac{};
    std::uint16_t status = 0;
    std::uint16_t max_virtqueue_pairs = 1;
    std::uint16_t mtu = 0;
};
static_assert(sizeof(NetConfig) == 12 && WireStruct<NetConfig>);

enum class Link : std::uint8_t { down, up };

class Net final : public Device {
  public:
    struct Options {
        net::MacAddress mac;
        std::optional<std::uint16_t> mtu;  // none: the guest keeps its own idea
        std::uint16_t queue_size = 256;    // a power of two
    };

    // Frames that did not reach the guest or the port. Any thread.
    struct Drops {
        std::atomic<std::uint64_t> received = 0;     // no buffer of the guest could hold it
        std::atomic<std::uint64_t> transmitted = 0;  // the port refused it
    };

    // As many queue pairs as the port has queues. The port outlives the card.
    Net(net::Port& port, const Options& options);

    const Traits& traits() const override { return traits_; }
    void read_config(std::uint32_t offset, std::span<std::byte> data) const override;
    Result<void> activate(Features features) override;
    io::Task<void> serve(Queue& queue) override;
    void deactivate() override;

    // Tells the guest that the cable was pulled or plugged. Loop thread.
    void set_link(Link link);
    // Asks the guest to tell its neighbours where it is now (virtio 1.2, section 5.1.6.5.4); it
    // does where it negotiated that. Loop thread.
    void announce();

    const Drops& drops() const { return drops_; }

  private:
    // One queue pair. Its two directions know nothing of each other.
    struct Pair {
        std::vector<iovec> vectors;
        std::size_t offered = 0;      // bytes of guest memory in vectors
        std::size_t last_length = 0;  // of the frame before, in bytes
        // Takes what of a frame is longer than the buffers offered for it.
        std::unique_ptr<std::byte[]> overflow;
        std::vector<std::uint32_t> lengths;  // of the frame in hand, a buffer each
    };

    net::MacAddress mac() const;
    void set_mac(const net::MacAddress& address);
    bool has(unsigned bit) const { return (negotiated_ & feature(bit)) != 0; }
    io::Task<void> serve_pair(Queue& queue);

    // Receiving, net_receive.cpp.
    io::Task<void> receive_frames(Pair& pair, net::PortQueue& port, ChainStock& stock,
                                  std::size_t queue_size);
    void offer_buffers(Pair& pair, ChainStock& stock);
    bool plan(Pair& pair, ChainStock& stock, std::size_t length) const;
    void hand_over(Pair& pair, ChainStock& stock);
    void drop_received() { drops_.received.fetch_add(1, std::memory_order_relaxed); }

    io::Task<void> transmit_frames(net::PortQueue& port, ChainStock& stock);
    bool transmits(Chain& chain) const;

    // The control queue, net_control.cpp.
    io::Task<void> serve_control(Queue& queue);
    Result<void> obey(Readable& command);
    Result<void> obey_receive_mode(std::uint8_t command, Readable& data);
    Result<void> obey_mac(std::uint8_t command, Readable& data);
    Result<void> obey_vlan(std::uint8_t command, Readable& data);
    Result<void> obey_pairs(std::uint8_t command, Readable& data);
    Result<void> obey_offloads(std::uint8_t command, Readable& data);
    Result<void> obey_announce(std::uint8_t command);

    net::Port& port_;
    Traits traits_;
    std::atomic<std::uint64_t> mac_ = 0;  // octets in memory order, then two zero bytes
    std::atomic<std::uint16_t> status_;
    std::uint16_t mtu_;
    Features negotiated_ = 0;
    std::vector<std::unique_ptr<Pair>> pairs_;
    Drops drops_;
};

// The offloads that feature bits of the receiving side stand for (GUEST_CSUM and so on).
net::Offloads accepted_offloads(Features features);

}  // namespace sheaf::virtio

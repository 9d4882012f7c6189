#pragma once

// Why: streams between programs in the guest and on its host, without a network (virtio 1.2,
// section 5.10). On the host they are unix sockets.
// Features and what is missing: docs/devices/virtio-vsock.md.

#include <map>

#include "base/metrics.h"
#include "devices/virtio/chain_stock.h"
#include "devices/virtio/device.h"
#include "devices/virtio/vsock_host.h"
#include "devices/virtio/vsock_outbox.h"

namespace sheaf::virtio {

class Vsock final : public Device, VsockCarrier {
  public:
    // How many connections there may be, counting those that are being made or ended.
    static constexpr std::size_t most_connections = 512;
    // How many programs on the host may have connected without having said whom they want.
    static constexpr std::size_t most_greetings = 64;

    struct Options {
        std::uint64_t cid = vsock_wire::least_guest_cid;  // the guest's address
        std::uint16_t queue_size = 256;                   // a power of two
    };

    // Takes the listening unix socket on which programs of the host ask for the guest. The dialer
    // reaches those the guest asks for; loop and dialer outlive the device.
    Vsock(io::Loop& loop, Fd listener, VsockDialer& dialer, const Options& options);

    const Traits& traits() const override { return traits_; }
    void read_config(std::uint32_t offset, std::span<std::byte> data) const override;
    io::Task<void> serve(Queue& queue) override;
    void deactivate() override;

    // Loop thread.
    std::size_t connection_count() const { return tasks_.size(); }
    // Packets of the guest that made no sense. Any thread.
    std::uint64_t dropped() const { return dropped_.value(); }

  private:
    // To the guest.
    io::Task<void> serve_receive(Queue& queue);
    io::Task<void> send(ChainStock& stock);
    void send_next(ChainStock& stock);
    void has_packet(VsockConnection& connection) override { outbox_.add(connection); }
    void ended(VsockConnection& connection) override;
    void forget(VsockConnection& connection);

    // From the guest.
    io::Task<void> serve_transmit(Queue& queue);
    void take(Readable& packet);
    void open_for_guest(const VsockHeader& request);
    io::Task<void> reach_host(std::unique_ptr<VsockConnection> connection);

    // From the host.
    io::Task<void> listen();
    io::Task<void> greet(Fd socket);
    void open_for_host(std::uint32_t port, Fd socket);
    std::unique_ptr<VsockConnection> add(VsockKey key);
    io::Task<void> keep(std::unique_ptr<VsockConnection> connection);
    VsockKey free_key(std::uint32_t guest_port);

    io::Task<void> hold(Queue& queue);

    io::Loop& loop_;
    const Fd listener_;
    VsockDialer& dialer_;
    const Options options_;
    Traits traits_;
    Counter dropped_;

    bool serving_ = false;  // packets can be sent
    VsockOutbox outbox_;
    std::map<VsockKey, VsockConnection*> connections_;  // owned by their tasks
    io::TaskGroup tasks_;                               // one a connection
    std::size_t greetings_ = 0;
    io::Event greeted_;
    std::uint32_t next_host_port_;
};

}  // namespace sheaf::virtio

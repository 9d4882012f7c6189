#pragma once

// Why: a guest that connects to a port of its host reaches the unix socket PATH_port, but the VMM
// opens nothing: it asks its keeper, which connects and hands the socket over. So a VMM that was
// taken over reaches these sockets and no other file (docs/formats/vmm-control.md).

#include <string>

#include "devices/virtio/vsock_host.h"

namespace sheaf::node {

// The VMM's end. Loop thread.
class VsockDial final : public virtio::VsockDialer {
  public:
    // Takes the channel's descriptor. The loop outlives it.
    VsockDial(io::Loop& loop, Fd channel) : loop_(loop), channel_(std::move(channel)) {}

    io::Task<Fd> dial(std::uint32_t port) override;

  private:
    io::Loop& loop_;
    Fd channel_;
};

// The keeper's end: connects to `path`_port for each request until the other end closes. The
// channel outlives the task.
io::Task<void> answer_dials(io::Loop& loop, int channel, std::string path);

// The socket on which programs of the host ask for the guest, listening. Fails with invalid where
// the path is too long for the ports' paths. The caller removes the path.
Result<Fd> listen_for_vsock(const std::string& path);

}  // namespace sheaf::node

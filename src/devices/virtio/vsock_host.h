#pragma once

// Why: programs on the host reach a guest's ports, and guests reach programs on the host, by unix
// sockets and a line of text, as Firecracker has it (docs/devices/virtio-vsock.md).

#include "base/fd.h"
#include "io/loop.h"
#include "io/task.h"

namespace sheaf::virtio {

// Reaches a program on the host. Loop thread.
class VsockDialer {
  public:
    // A connected stream socket of who listens for the guest on this port; not_found or another
    // failure where there is nobody.
    virtual io::Task<Fd> dial(std::uint32_t port) = 0;

  protected:
    ~VsockDialer() = default;
};

// How long a program may take to say whom it wants.
inline constexpr io::Duration vsock_greeting_patience = std::chrono::seconds{10};

// Reads "CONNECT port\n" and not a byte more. Fails with invalid where it is something else, or
// does not come in time. The socket outlives the task.
io::Task<std::uint32_t> read_vsock_greeting(io::Loop& loop, int socket,
                                            io::Duration patience = vsock_greeting_patience);

// The port of a greeting's line, without its end.
Result<std::uint32_t> parse_vsock_greeting(std::string_view line);

}  // namespace sheaf::virtio

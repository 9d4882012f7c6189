#pragma once

// Why: packets to the guest wait for the guest's buffers. Each connection waits here once, in turn,
// however much it has to send, and makes its packet when there is room for it; so nothing of a
// slow guest piles up.

#include <deque>
#include <optional>

#include "devices/virtio/vsock_connection.h"

namespace sheaf::virtio {

// Loop thread only.
class VsockOutbox {
  public:
    // Answers to packets of no connection that may wait; what is beyond them is lost.
    static constexpr std::size_t most_resets = 256;

    bool empty() const { return resets_.empty() && connections_.empty(); }
    // Wakes who waits. The connection is taken or removed before it is destroyed.
    void add(VsockConnection& connection);
    void add_reset(const VsockHeader& reset);
    void remove(VsockConnection& connection);
    void clear();

    std::optional<VsockHeader> take_reset();
    // Once there are no resets; the outbox is not empty.
    VsockConnection& take_connection();

    io::Task<void> wait();

  private:
    std::deque<VsockHeader> resets_;
    std::deque<VsockConnection*> connections_;
    io::Event filled_;
};

}  // namespace sheaf::virtio

#pragma once

// Why: what a network card is plugged into: a tap today. Frames carry the virtio-net header
// (virtio 1.2, 5.1.6), so offloads pass through unchanged.

#include <sys/uio.h>

#include "io/loop.h"
#include "io/task.h"

namespace sheaf::net {

// Segmentation and checksum offloads that one side accepts from the other.
struct Offloads {
    bool checksum = false;
    bool tso4 = false;
    bool tso6 = false;
    bool ecn = false;
    bool uso = false;
    bool operator==(const Offloads&) const = default;
};

// One queue pair of a port. Loop thread only.
class PortQueue {
  public:
    virtual ~PortQueue() = default;
    // Waits for one frame, header first, and scatters it; gives its length. A frame longer than the
    // vectors is cut. The header's num_buffers is left as it was. A queue that is not in use
    // (see use_queues) gets no frames. Fails when the port is gone.
    virtual io::Task<std::size_t> receive(std::span<const iovec> vectors) = 0;
    // Sends one frame, header first; a port that cannot take it now is waited for. Fails where the
    // frame makes no sense; the next one may be sent.
    virtual io::Task<void> send(std::span<const iovec> vectors) = 0;
};

class Port {
  public:
    virtual ~Port() = default;
    virtual std::size_t queue_count() const = 0;
    virtual PortQueue& queue(std::size_t index) = 0;
    // What the port can take over for the guest when it sends, and the guest accepts when it
    // receives.
    virtual Offloads offered() const = 0;
    // Frames come in through the first `count` queues only, 1 to queue_count(), from now on.
    virtual Result<void> use_queues(std::size_t count) = 0;
    // Frames delivered from now on use at most these.
    virtual Result<void> accept(const Offloads& offloads) = 0;
};

}  // namespace sheaf::net

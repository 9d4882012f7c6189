#pragma once

// Why: a serial port and a virtio console are two ways for a guest to reach the same thing:
// somebody who reads and types. The guest is never made to wait for that somebody.

#include <cstddef>
#include <span>

namespace sheaf::console {

// Hears that read() has something again after it gave less than it was asked for. Called on the
// backend's loop thread, or on the thread that calls listen().
class Listener {
  public:
    virtual void input_available() = 0;

  protected:
    ~Listener() = default;
};

class Backend {
  public:
    virtual ~Backend() = default;

    // Takes what the guest printed. Never blocks; what nobody reads is bounded. Any thread.
    virtual void write(std::span<const std::byte> bytes) = 0;
    // Gives what was typed, as much as there is now, 0 bytes where there is nothing. Taking it
    // makes room for more: a sender is held back, nothing is dropped. Any thread.
    virtual std::size_t read(std::span<std::byte> bytes) = 0;
    // Whom to tell; one listener, which outlives the backend's use of it. Loop thread.
    virtual void listen(Listener* listener) = 0;
};

}  // namespace sheaf::console

#pragma once

// Why: devices raise interrupts without knowing KVM. These are the two kinds there are: a line (a
// pin of the IOAPIC, edge triggered) and message-signalled interrupts. KVM's side is in
// irq_router.h; tests bring their own.

#include <cstdint>
#include <optional>

#include "base/result.h"

namespace sheaf::vmm {

// An edge-triggered line. Any thread.
class InterruptLine {
  public:
    virtual void pulse() = 0;

  protected:
    ~InterruptLine() = default;
};

struct MsiMessage {
    std::uint64_t address = 0;
    std::uint32_t data = 0;
    bool operator==(const MsiMessage&) const = default;
};

// What the user-space IOAPIC sends for each of its pins. Any thread.
class PinRouter {
  public:
    // The message of a pin from now on; none while it is masked.
    virtual Result<void> set_pin(unsigned pin, std::optional<MsiMessage> message) = 0;

  protected:
    ~PinRouter() = default;
};

// Hands out message-signalled interrupts. Every member may be called from any thread.
class MsiController {
  public:
    using Route = unsigned;

    // A route that goes nowhere yet. Fails with exhausted when the host has no more.
    virtual Result<Route> allocate() = 0;
    virtual void release(Route route) = 0;
    // Where trigger() goes from now on. Cheap where the message is unchanged.
    virtual Result<void> set(Route route, const MsiMessage& message) = 0;
    virtual void trigger(Route route) = 0;

  protected:
    ~MsiController() = default;
};

}  // namespace sheaf::vmm

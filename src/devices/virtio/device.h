#pragma once

// Why: a virtio device says what it is and how it serves its queues. Negotiation, status, reset,
// queue addresses and interrupts belong to the transport, so no device repeats them.

#include <cstdint>
#include <span>
#include <vector>

#include "devices/virtio/queue.h"
#include "io/task.h"

namespace sheaf::virtio {

// Device identifiers (virtio 1.2, section 5).
enum class DeviceType : std::uint16_t {
    net = 1,
    block = 2,
    console = 3,
    entropy = 4,
    balloon = 5,
    socket = 19
};

using Features = std::uint64_t;
constexpr Features feature(unsigned bit) {
    return Features{1} << bit;
}

// Offered by the transport for every device (virtio 1.2, section 6).
inline constexpr Features ring_indirect_descriptors = feature(28);
inline constexpr Features ring_event_index = feature(29);
inline constexpr Features version_1 = feature(32);

struct Traits {
    DeviceType type{};
    Features features = 0;                   // the device's own; the transport adds its own
    std::vector<std::uint16_t> queue_sizes;  // the largest size of each queue, powers of two
    std::uint32_t config_size = 0;           // bytes of device configuration
    std::uint32_t pci_class = 0xff0000;      // class, subclass, interface
};

// How a device tells the driver that its configuration changed. Loop thread.
class ConfigNotifier {
  public:
    virtual void config_changed() = 0;

  protected:
    ~ConfigNotifier() = default;
};

class Device {
  public:
    virtual ~Device() = default;

    // Immutable for the life of the device. Any thread.
    virtual const Traits& traits() const = 0;

    // Device configuration, [offset, offset + data.size()) within traits().config_size. On a vCPU
    // thread, never two at a time, and while queues are served: shared fields are atomic.
    virtual void read_config(std::uint32_t offset, std::span<std::byte> data) const = 0;
    virtual void write_config(std::uint32_t, std::span<const std::byte>) {}

    // The driver is ready (DRIVER_OK) with these features; the queues' serve() follow. Loop thread.
    // An error marks the device broken (DEVICE_NEEDS_RESET).
    virtual Result<void> activate(Features) { return {}; }

    // Serves one enabled queue until queue.next() gives none; everything started for it has then
    // ended. Loop thread. An error marks the device broken.
    virtual io::Task<void> serve(Queue& queue) = 0;

    // All serve() have ended after a reset; the device is as new. Loop thread.
    virtual void deactivate() {}

    // Set once by the transport, before activate(); outlives the device's use of it.
    void set_notifier(ConfigNotifier* notifier) { notifier_ = notifier; }

  protected:
    void config_changed() {
        if (notifier_) notifier_->config_changed();
    }

  private:
    ConfigNotifier* notifier_ = nullptr;
};

}  // namespace sheaf::virtio

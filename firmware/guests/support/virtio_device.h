// A virtio 1.x device behind PCI (virtio 1.2, 4.1): registers, features and status. Sheaf and QEMU
// are driven alike; transitional devices only through their modern side.
#pragma once

#include <cstdint>

#include "support/hardware.h"
#include "support/machine.h"
#include "support/pci.h"

namespace probe {

constexpr uint16_t virtio_vendor = 0x1af4;
constexpr uint16_t virtio_net_id = 0x1041;
constexpr uint16_t virtio_blk_id = 0x1042;

namespace feature {
constexpr uint64_t indirect = uint64_t{1} << 28;
constexpr uint64_t event_index = uint64_t{1} << 29;
constexpr uint64_t version_1 = uint64_t{1} << 32;
}  // namespace feature

namespace status {
constexpr uint8_t acknowledge = 1;
constexpr uint8_t driver = 2;
constexpr uint8_t driver_ok = 4;
constexpr uint8_t features_ok = 8;
constexpr uint8_t needs_reset = 64;
}  // namespace status

// Offsets in the common configuration structure (4.1.4.3).
namespace common {
constexpr uint32_t device_feature_select = 0;
constexpr uint32_t device_feature = 4;
constexpr uint32_t driver_feature_select = 8;
constexpr uint32_t driver_feature = 12;
constexpr uint32_t config_vector = 16;
constexpr uint32_t queue_count = 18;
constexpr uint32_t device_status = 20;
constexpr uint32_t config_generation = 21;
constexpr uint32_t queue_select = 22;
constexpr uint32_t queue_size = 24;
constexpr uint32_t queue_vector = 26;
constexpr uint32_t queue_enable = 28;
constexpr uint32_t queue_notify_offset = 30;
constexpr uint32_t queue_descriptors = 32;
constexpr uint32_t queue_available = 40;
constexpr uint32_t queue_used = 48;
}  // namespace common

class VirtioDevice {
  public:
    // Finds the `index`-th device with this id, enables it and maps its structures. False, with a
    // line on the console, when it is not there or not modern.
    bool attach(Pci& pci, uint16_t device_id, uint32_t index = 0);

    // Writes zero to the status and waits until it reads zero; false when that never happens.
    bool reset(const Clock& clock);
    // Reset, ACKNOWLEDGE, DRIVER, the offered features that are in `wanted`, FEATURES_OK. False
    // when the device refuses. DRIVER_OK is set by start().
    bool negotiate(const Clock& clock, uint64_t wanted);
    void start() { set_status(get_status() | status::driver_ok); }

    uint64_t offered() const;
    uint64_t negotiated() const { return negotiated_; }
    bool has(uint64_t features) const { return (negotiated_ & features) == features; }

    uint8_t get_status() const { return get<uint8_t>(common::device_status); }
    void set_status(uint8_t value) const { set<uint8_t>(common::device_status, value); }

    // Registers of the common structure, by offset.
    template <typename T>
    T get(uint32_t offset) const {
        return mmio_read<T>(common_ + offset);
    }
    template <typename T>
    void set(uint32_t offset, T value) const {
        mmio_write<T>(common_ + offset, value);
    }
    void set_address(uint32_t offset, uint64_t value) const {
        set<uint32_t>(offset, static_cast<uint32_t>(value));
        set<uint32_t>(offset + 4, static_cast<uint32_t>(value >> 32));
    }

    // Registers of the device's own configuration.
    template <typename T>
    T config(uint32_t offset) const {
        return mmio_read<T>(device_ + offset);
    }

    // Where the doorbell of the queue that is selected lies.
    uint64_t doorbell() const {
        return notify_ + uint64_t{get<uint16_t>(common::queue_notify_offset)} * notify_multiplier_;
    }

    PciFunction function() const { return function_; }
    uint64_t common_address() const { return common_; }
    uint64_t notify_address() const { return notify_; }
    uint64_t isr_address() const { return isr_; }
    uint64_t device_address() const { return device_; }

  private:
    bool map(Pci& pci);

    PciFunction function_;
    uint64_t common_ = 0;
    uint64_t notify_ = 0;
    uint64_t isr_ = 0;
    uint64_t device_ = 0;
    uint64_t notify_multiplier_ = 0;
    uint64_t negotiated_ = 0;
};

}  // namespace probe

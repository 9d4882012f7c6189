#pragma once

// Why: the common configuration of a virtio device (virtio 1.2, sections 4.1.4.3 and 2.1): what the
// driver may write when, and what it reads back. Plain state: the transport decides what follows.

#include <cstdint>
#include <span>
#include <vector>

#include "devices/virtio/device.h"

namespace sheaf::virtio {

// Device status bits (virtio 1.2, section 2.1).
namespace status {
inline constexpr std::uint8_t acknowledge = 1;
inline constexpr std::uint8_t driver = 2;
inline constexpr std::uint8_t driver_ok = 4;
inline constexpr std::uint8_t features_ok = 8;
inline constexpr std::uint8_t needs_reset = 64;
inline constexpr std::uint8_t failed = 128;
}  // namespace status

inline constexpr std::uint16_t no_vector = 0xffff;

// Not thread-safe: the transport holds its mutex around every call.
class Registers {
  public:
    static constexpr std::uint64_t size = 56;

    // What a write asks the transport to do.
    enum class Effect { none, activate, reset };

    struct QueueState {
        QueueSetup setup;
        std::uint16_t size_limit = 0;
        std::uint16_t vector = no_vector;
        bool enabled = false;
    };

    // Offers the device's features and the ring's own. `vectors` is the length of the MSI-X table.
    Registers(const Traits& traits, unsigned vectors);

    // Accesses of other than a field's own place and width read as zero and change nothing; a
    // 64-bit address may be written in halves.
    void read(std::uint64_t offset, std::span<std::byte> data) const;
    Effect write(std::uint64_t offset, std::span<const std::byte> data);

    void reset();
    void set_needs_reset();
    void configuration_changed() { ++generation_; }

    std::uint8_t device_status() const { return status_; }
    Features negotiated() const { return driver_features_; }
    std::uint16_t config_vector() const { return config_vector_; }
    const std::vector<QueueState>& queues() const { return queues_; }

  private:
    std::uint32_t read_field(std::uint64_t offset, std::size_t width) const;
    std::uint32_t read_queue(std::uint64_t offset, std::size_t width) const;
    Effect write_status(std::uint8_t value);
    void write_driver_features(std::uint32_t value);
    void write_queue(std::uint64_t offset, std::size_t width, std::uint32_t value);
    void write_address(std::uint64_t offset, std::uint32_t value);
    std::uint16_t checked_vector(std::uint32_t vector) const;
    bool features_acceptable() const;
    const QueueState* selected() const;

    const Features offered_;
    const unsigned vectors_;
    std::uint32_t device_feature_select_ = 0;
    std::uint32_t driver_feature_select_ = 0;
    Features driver_features_ = 0;
    std::uint16_t config_vector_ = no_vector;
    std::uint16_t queue_select_ = 0;
    std::uint8_t status_ = 0;
    std::uint8_t generation_ = 0;
    std::vector<QueueState> queues_;
};

}  // namespace sheaf::virtio

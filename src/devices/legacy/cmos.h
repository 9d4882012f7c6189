#pragma once

// Why: firmware and kernels ask the oldest clock of the PC for the time of day, and firmware asks
// the memory behind it how much RAM there is. The clock is a Motorola MC146818A without interrupts.
// What guests read and what is missing: docs/devices/cmos.md.

#include <array>
#include <mutex>
#include <optional>

#include "base/wall_clock.h"
#include "vmm/bus.h"

namespace sheaf::legacy {

// Ports 0x70 (index) and 0x71 (data). Any vCPU thread; one mutex, held for a few instructions.
class Cmos final : public vmm::BusHandler {
  public:
    static constexpr std::uint64_t port_count = 2;

    // What firmware finds out here about the machine.
    struct Equipment {
        std::uint64_t memory_below_4g = 0;  // bytes
        std::uint64_t memory_above_4g = 0;  // bytes
        unsigned cpus = 1;
    };

    // The clock outlives the device. The guest sees its time in UTC until it sets another; what it
    // sets is forgotten with the device.
    Cmos(const WallClock& clock, const Equipment& equipment);

    std::string_view name() const override { return "cmos"; }
    void read(std::uint64_t offset, std::span<std::byte> data) override;
    void write(std::uint64_t offset, std::span<const std::byte> data) override;

  private:
    using TimePoint = WallClock::TimePoint;

    // The rest is called with mutex_ held.
    std::uint8_t read_memory(std::uint8_t index);
    void write_memory(std::uint8_t index, std::uint8_t value);
    void write_control(std::uint8_t value);
    std::uint8_t read_flags();
    bool about_to_update() const;
    bool is_set() const;  // the guest holds the clock to set it
    TimePoint guest_now() const { return clock_.now() + offset_; }
    void show(TimePoint time);
    std::optional<TimePoint> shown() const;
    std::uint8_t encode(unsigned value) const;
    std::optional<unsigned> decode(std::uint8_t value, unsigned least, unsigned most) const;
    std::uint8_t encode_hour(unsigned hour) const;
    std::optional<unsigned> decode_hour(std::uint8_t value) const;

    const WallClock& clock_;
    std::mutex mutex_;
    std::uint8_t index_ = 0;
    std::array<std::uint8_t, 128> memory_{};    // the time in it is what show() last put there
    std::chrono::microseconds offset_{0};       // from the clock's time to the guest's
    std::chrono::sys_seconds flags_read_at_{};  // which second it was
};

}  // namespace sheaf::legacy

#pragma once

// Why: writing 0xFE to the keyboard controller is the oldest way to reboot a PC, and guests fall
// back to it. The controller answers its own commands; no keyboard and no mouse are plugged in.

#include <atomic>

#include "vmm/bus.h"
#include "vmm/ending.h"

namespace sheaf::legacy {

// Ports 0x60 to 0x64: data, port B, and command or status. Any vCPU thread.
class I8042 final : public vmm::BusHandler {
  public:
    static constexpr std::uint64_t port_count = 5;

    // The sink hears of a reset; it outlives the controller.
    explicit I8042(vmm::EndingSink& sink) : sink_(sink) {}

    std::string_view name() const override { return "i8042"; }
    void read(std::uint64_t offset, std::span<std::byte> data) override;
    void write(std::uint64_t offset, std::span<const std::byte> data) override;

  private:
    void command(std::uint8_t value);
    void write_data(std::uint8_t value);
    void reset();

    vmm::EndingSink& sink_;
    // Output buffer: the byte in the low half, the status bits it comes with in the high half, or
    // `empty`. Guests serialize their use of the controller; two that race get one answer each.
    static constexpr std::uint16_t empty = 0;
    std::atomic<std::uint16_t> output_ = empty;
    std::atomic<std::uint8_t> configuration_ = 0;
    std::atomic<std::uint8_t> expecting_ = 0;  // the command whose data byte comes next
};

}  // namespace sheaf::legacy

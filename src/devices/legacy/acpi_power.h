#pragma once

// Why: how a guest powers off or resets through ACPI, and how it is asked to: the hardware-reduced
// sleep and reset registers (ACPI 6.5, sections 4.8.3.6 and 4.8.3.7), and the events behind the
// generic event device (section 5.6.9) that the DSDT describes.

#include <atomic>

#include "vmm/bus.h"
#include "vmm/ending.h"
#include "vmm/interrupts.h"

namespace sheaf::legacy {

// The sleep control and status registers, at layout::port_acpi_sleep. Any vCPU thread.
class AcpiSleep final : public vmm::BusHandler {
  public:
    static constexpr std::uint64_t port_count = 2;

    // The sink hears of S5 and of resets; it outlives the registers.
    explicit AcpiSleep(vmm::EndingSink& sink) : sink_(sink) {}

    std::string_view name() const override { return "acpi_sleep"; }
    void read(std::uint64_t offset, std::span<std::byte> data) override;
    void write(std::uint64_t offset, std::span<const std::byte> data) override;

  private:
    vmm::EndingSink& sink_;
};

// The pending events, at layout::port_acpi_events: reading clears them. Any vCPU thread.
class AcpiEvents final : public vmm::BusHandler {
  public:
    static constexpr std::uint64_t port_count = 1;

    // The line outlives the events.
    explicit AcpiEvents(vmm::InterruptLine& line) : line_(line) {}

    std::string_view name() const override { return "acpi_events"; }
    void read(std::uint64_t offset, std::span<std::byte> data) override;
    void write(std::uint64_t, std::span<const std::byte>) override {}

    // Asks the guest to shut down; whether it does is its own choice. Any thread.
    void press_power_button();

  private:
    vmm::InterruptLine& line_;
    std::atomic<std::uint8_t> pending_ = 0;
};

}  // namespace sheaf::legacy

#pragma once

// Why: firmware measures time by the ACPI power management timer before it knows anything better
// (ACPI 6.5, section 4.8.3.3): a counter of 32 bits that runs at 3.579545 MHz.

#include <chrono>

#include "vmm/bus.h"

namespace sheaf::legacy {

// At layout::port_pm_timer. Any vCPU thread; no state.
class PmTimer final : public vmm::BusHandler {
  public:
    static constexpr std::uint64_t port_count = 4;
    static constexpr std::uint64_t hertz = 3'579'545;
    using Now = std::chrono::nanoseconds (*)();

    // `now` is a clock that never goes back, safe to read from any thread.
    explicit PmTimer(Now now = steady_now) : now_(now) {}

    std::string_view name() const override { return "pm_timer"; }
    void read(std::uint64_t offset, std::span<std::byte> data) override;
    void write(std::uint64_t, std::span<const std::byte>) override {}

  private:
    static std::chrono::nanoseconds steady_now() {
        return std::chrono::steady_clock::now().time_since_epoch();
    }

    Now now_;
};

}  // namespace sheaf::legacy

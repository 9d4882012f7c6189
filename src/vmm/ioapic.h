#pragma once

// Why: with a split irqchip the local APICs are KVM's and the IOAPIC is ours: 24 redirection
// entries that turn a line into a message. What: Intel 82093AA, edge lines only, with the EOI
// register of version 0x20. Missing: level lines (nothing here raises one), so remote IRR always
// reads 0.

#include <array>
#include <mutex>

#include "vmm/bus.h"
#include "vmm/interrupts.h"
#include "vmm/layout.h"

namespace sheaf::vmm {

class Ioapic final : public BusHandler {
  public:
    // The router outlives the IOAPIC.
    explicit Ioapic(PinRouter& router);

    std::string_view name() const override { return "ioapic"; }
    void read(std::uint64_t offset, std::span<std::byte> data) override;
    void write(std::uint64_t offset, std::span<const std::byte> data) override;

  private:
    std::uint32_t read_register(std::uint32_t index) const;
    void write_register(std::uint32_t index, std::uint32_t value);
    void update(unsigned pin);

    PinRouter& router_;
    std::mutex mutex_;
    std::uint32_t select_ = 0;
    std::uint32_t id_ = 0;
    std::array<std::uint64_t, layout::ioapic_pins> redirections_;
};

}  // namespace sheaf::vmm

#pragma once

// Why: a guest that panics can say so, so that nobody waits for one that has stopped. What: QEMU's
// docs/specs/pvpanic.rst, the PCI variant; Linux has the driver.

#include "devices/pci/function.h"
#include "vmm/ending.h"

namespace sheaf::pci {

class Pvpanic final : public Function {
  public:
    // The sink hears of a panic; it outlives the function.
    Pvpanic(vmm::Bus& memory, vmm::EndingSink& sink);

  private:
    class Events final : public vmm::BusHandler {
      public:
        explicit Events(vmm::EndingSink& sink) : sink_(sink) {}
        std::string_view name() const override { return "pvpanic"; }
        void read(std::uint64_t offset, std::span<std::byte> data) override;
        void write(std::uint64_t offset, std::span<const std::byte> data) override;

      private:
        vmm::EndingSink& sink_;
    };

    Events events_;
};

}  // namespace sheaf::pci

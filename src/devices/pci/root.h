#pragma once

// Why: the host bridge and its one bus of 32 slots. Guests reach configuration space by two ways,
// the ports 0xcf8 and 0xcfc and the memory window of PCI Express (ECAM); both end here.

#include <array>
#include <memory>
#include <mutex>

#include "devices/pci/function.h"

namespace sheaf::pci {

class Root {
  public:
    static constexpr unsigned slots = 32;

    // Puts the bridge into slot 0.
    explicit Root(vmm::Bus& memory);

    // Puts a function into the next free slot. Before the guest runs. Fails with exhausted.
    Result<void> add(std::unique_ptr<Function> function);
    // Places all BARs in the memory window of layout.h. Before the guest runs.
    Result<void> assign_bars();

    // Registers on the two buses (layout.h); they do not outlive the root.
    Result<void> attach(vmm::Bus& ports, vmm::Bus& memory);

  private:
    // Type 1 configuration mechanism (PCI 3.0, 3.2.2.3.2): address and data port.
    class Ports final : public vmm::BusHandler {
      public:
        explicit Ports(Root& root) : root_(root) {}
        std::string_view name() const override { return "pci_ports"; }
        void read(std::uint64_t offset, std::span<std::byte> data) override;
        void write(std::uint64_t offset, std::span<const std::byte> data) override;

      private:
        Root& root_;
        std::uint32_t address_ = 0;  // under the root's mutex
    };
    // Enhanced configuration access (PCI Express 5.0, 7.2.2).
    class Ecam final : public vmm::BusHandler {
      public:
        explicit Ecam(Root& root) : root_(root) {}
        std::string_view name() const override { return "pci_ecam"; }
        void read(std::uint64_t offset, std::span<std::byte> data) override;
        void write(std::uint64_t offset, std::span<const std::byte> data) override;

      private:
        Root& root_;
    };

    // `location` is bus, device, function and register as in ECAM. Under mutex_.
    void read(std::uint64_t location, std::span<std::byte> data);
    void write(std::uint64_t location, std::span<const std::byte> data);
    Function* find(std::uint64_t location, std::size_t length) const;

    std::mutex mutex_;
    std::array<std::unique_ptr<Function>, slots> functions_;
    Ports port_handler_{*this};
    Ecam ecam_handler_{*this};
};

}  // namespace sheaf::pci

#pragma once

// Why: interrupts as messages, one vector a queue. What: PCI 3.0, section 6.8.2: the table and the
// pending bits live in a BAR, the control register in configuration space.

#include <mutex>
#include <optional>
#include <vector>

#include "vmm/bus.h"
#include "vmm/interrupts.h"

namespace sheaf::pci {

// Table accesses come from vCPU threads, trigger() from any thread. A masked vector keeps its
// interrupt as a pending bit and sends it when unmasked.
class Msix final : public vmm::BusHandler {
  public:
    static constexpr std::uint32_t table_offset = 0;
    static constexpr std::uint32_t pending_offset = 0x800;
    static constexpr std::uint32_t bar_size = 4096;
    static constexpr unsigned vector_limit = 128;  // the table ends where the pending bits begin

    // At most vector_limit vectors. The controller outlives it.
    Msix(vmm::MsiController& controller, unsigned vectors);
    ~Msix();

    unsigned vectors() const { return static_cast<unsigned>(entries_.size()); }

    // Message control was written: bits 15 (enable) and 14 (mask all).
    void set_control(std::uint16_t control);

    // Raises a vector; one that does not exist, or a disabled function, raises nothing.
    void trigger(unsigned vector);

    std::string_view name() const override { return "msix"; }
    void read(std::uint64_t offset, std::span<std::byte> data) override;
    void write(std::uint64_t offset, std::span<const std::byte> data) override;

  private:
    struct Entry {
        vmm::MsiMessage message;
        bool masked = true;
        bool pending = false;
        std::optional<vmm::MsiController::Route> route{};
    };

    bool open(const Entry& entry) const { return enabled_ && !all_masked_ && !entry.masked; }
    void send(Entry& entry);
    void refresh(Entry& entry);
    std::uint32_t read_table(std::uint64_t offset) const;
    void write_table(std::uint64_t offset, std::uint32_t value);
    std::uint64_t pending_bits(std::size_t word) const;

    vmm::MsiController& controller_;
    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
    bool enabled_ = false;
    bool all_masked_ = false;
};

}  // namespace sheaf::pci

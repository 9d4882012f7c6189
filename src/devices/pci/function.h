#pragma once

// Why: a function in a slot: its configuration space and its memory BARs. BARs follow what the
// guest writes; one that would collide with something else stays where it was.

#include <memory>
#include <optional>
#include <vector>

#include "base/units.h"
#include "devices/pci/config_space.h"
#include "vmm/bus.h"

namespace sheaf::pci {

// Accesses come from vCPU threads, one at a time (the root holds its mutex).
class Function {
  public:
    // The bus for memory outlives the function.
    Function(const Identity& identity, vmm::Bus& memory);
    virtual ~Function();
    Function(const Function&) = delete;
    Function& operator=(const Function&) = delete;

    // A guest's access to configuration space; offset + data.size() lies within 256 bytes.
    virtual void read_config(unsigned offset, std::span<std::byte> data);
    virtual void write_config(unsigned offset, std::span<const std::byte> data);

    // Places every BAR, `next` on, and turns memory decoding on, as firmware would; gives the first
    // address after them. Before the guest runs. Fails with exhausted at the end of the window.
    Result<Gpa> assign_bars(Gpa next, Gpa limit);

  protected:
    ConfigSpace& config() { return config_; }
    const ConfigSpace& config_space() const { return config_; }

    // Adds the next BAR: `size` bytes, a power of two from 4096, answered by `handler`, which
    // belongs to the derived function.
    void add_bar(std::uint32_t size, vmm::BusHandler& handler);

    // A BAR is at another place now, or nowhere. Called on vCPU threads.
    virtual void bar_moved(unsigned, std::optional<Gpa>) {}

  private:
    struct Bar {
        std::uint32_t size;
        vmm::BusHandler* handler;
        std::optional<Gpa> mapped{};
    };
    std::optional<Gpa> wanted(unsigned index) const;
    void follow(unsigned index);

    ConfigSpace config_;
    vmm::Bus& memory_;
    std::vector<Bar> bars_;
};

}  // namespace sheaf::pci

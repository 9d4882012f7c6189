// PCI as a guest without firmware sees it: configuration space, capabilities and BARs.
//
// Configuration space is reached by ports 0xcf8/0xcfc, or by ECAM when the command line names its
// address (`ecam=0xe0000000`, what QEMU's microvm needs). BARs without an address get one from
// `mmio=` upwards (default 0xd0000000).
#pragma once

#include <cstdint>

#include "support/command_line.h"

namespace probe {

// A function of bus 0.
struct PciFunction {
    uint8_t slot = 0;
    uint8_t function = 0;
};

class Pci {
  public:
    explicit Pci(const CommandLine& command_line);

    // Registers of any width (T is uint8_t, uint16_t or uint32_t), at any offset below 256.
    template <typename T>
    T read(PciFunction function, uint32_t offset) const;
    template <typename T>
    void write(PciFunction function, uint32_t offset, T value) const;

    // The `index`-th function with these ids; false when there is none.
    bool find(uint16_t vendor, uint16_t device, uint32_t index, PciFunction& result) const;

    // Offset of the first capability with `id` behind `after` (zero: from the start), zero at the
    // end. Bounded, however the list is linked.
    uint8_t next_capability(PciFunction function, uint8_t id, uint8_t after) const;

    // The size of BAR `bar` (zero when it does not exist). Changes nothing.
    uint64_t bar_size(PciFunction function, uint8_t bar) const;
    // Its address, assigned when it has none. Zero for I/O BARs.
    uint64_t bar_address(PciFunction function, uint8_t bar);
    void set_bar_address(PciFunction function, uint8_t bar, uint64_t address) const;

    // Memory decoding and bus mastering on, INTx off.
    void enable(PciFunction function) const;

  private:
    uint64_t ecam_address(PciFunction function, uint32_t offset) const;
    void select(PciFunction function, uint32_t offset) const;

    uint64_t ecam_;
    uint64_t next_bar_;
};

}  // namespace probe

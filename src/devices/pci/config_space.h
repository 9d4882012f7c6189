#pragma once

// Why: 256 bytes that say what a PCI function is, most of them constant, some writable bit by bit.
// What: PCI Local Bus 3.0, chapter 6; capabilities in 6.7.

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace sheaf::pci {

// Offsets of the header's fields (type 0).
namespace config {
inline constexpr unsigned vendor = 0x00;
inline constexpr unsigned device = 0x02;
inline constexpr unsigned command = 0x04;
inline constexpr unsigned status = 0x06;
inline constexpr unsigned revision = 0x08;
inline constexpr unsigned class_code = 0x09;  // interface, subclass, class
inline constexpr unsigned header_type = 0x0e;
inline constexpr unsigned bars = 0x10;
inline constexpr unsigned subsystem_vendor = 0x2c;
inline constexpr unsigned subsystem = 0x2e;
inline constexpr unsigned capabilities = 0x34;
inline constexpr unsigned interrupt_line = 0x3c;
inline constexpr unsigned first_capability = 0x40;
}  // namespace config

inline constexpr std::uint16_t command_memory = 1 << 1;
inline constexpr std::uint16_t command_bus_master = 1 << 2;
inline constexpr std::uint16_t command_interrupt_disable = 1 << 10;

struct Identity {
    std::uint16_t vendor = 0;
    std::uint16_t device = 0;
    std::uint16_t subsystem_vendor = 0;
    std::uint16_t subsystem = 0;
    std::uint32_t class_code = 0;  // class << 16 | subclass << 8 | interface
    std::uint8_t revision = 0;
};

class ConfigSpace {
  public:
    static constexpr unsigned size = 256;

    explicit ConfigSpace(const Identity& identity);

    template <WireStruct T>
    T get(unsigned offset) const {
        return load<T>(std::span{values_}.subspan(offset));
    }
    template <WireStruct T>
    void set(unsigned offset, T value) {
        store(std::span{values_}.subspan(offset), value);
    }
    // The bits a guest may write from now on.
    template <WireStruct T>
    void set_writable(unsigned offset, T mask) {
        store(std::span{writable_}.subspan(offset), mask);
    }

    // Adds a capability: `body` follows its identifier and link. Gives its offset. The device's
    // author sees to it that all fit.
    unsigned add_capability(std::uint8_t identifier, std::span<const std::byte> body);

    // A guest's access; offset + data.size() lies within `size`. Read-only bits keep their value.
    void read(unsigned offset, std::span<std::byte> data) const;
    void write(unsigned offset, std::span<const std::byte> data);

  private:
    std::array<std::byte, size> values_{};
    std::array<std::byte, size> writable_{};
    unsigned next_capability_ = config::first_capability;
    unsigned last_link_ = config::capabilities;
};

}  // namespace sheaf::pci

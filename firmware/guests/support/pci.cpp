#include "support/pci.h"

#include "support/hardware.h"

namespace probe {
namespace {

constexpr uint16_t config_address = 0xcf8;
constexpr uint16_t config_data = 0xcfc;
constexpr uint32_t command = 0x04;
constexpr uint32_t first_bar = 0x10;
constexpr uint32_t capabilities_pointer = 0x34;
constexpr uint32_t bar_is_io = 1;
constexpr uint32_t bar_type_mask = 6;
constexpr uint32_t bar_type_64 = 4;

uint32_t bar_offset(uint8_t bar) {
    return first_bar + 4u * bar;
}

}  // namespace

Pci::Pci(const CommandLine& command_line)
    : ecam_(command_line.number("ecam", 0)), next_bar_(command_line.number("mmio", 0xd0000000)) {}

uint64_t Pci::ecam_address(PciFunction function, uint32_t offset) const {
    return ecam_ + (uint64_t{function.slot} << 15 | uint64_t{function.function} << 12 | offset);
}

void Pci::select(PciFunction function, uint32_t offset) const {
    const uint32_t device = uint32_t{function.slot} << 11 | uint32_t{function.function} << 8;
    out32(config_address, 0x80000000u | device | (offset & 0xfc));
}

template <typename T>
T Pci::read(PciFunction function, uint32_t offset) const {
    if (ecam_) return mmio_read<T>(ecam_address(function, offset));
    select(function, offset);
    const auto port = static_cast<uint16_t>(config_data + (offset & 3));
    if constexpr (sizeof(T) == 1) return in8(port);
    if constexpr (sizeof(T) == 2) return in16(port);
    if constexpr (sizeof(T) == 4) return in32(port);
}

template <typename T>
void Pci::write(PciFunction function, uint32_t offset, T value) const {
    if (ecam_) return mmio_write<T>(ecam_address(function, offset), value);
    select(function, offset);
    const auto port = static_cast<uint16_t>(config_data + (offset & 3));
    if constexpr (sizeof(T) == 1) out8(port, value);
    if constexpr (sizeof(T) == 2) out16(port, value);
    if constexpr (sizeof(T) == 4) out32(port, value);
}

template uint8_t Pci::read<uint8_t>(PciFunction, uint32_t) const;
template uint16_t Pci::read<uint16_t>(PciFunction, uint32_t) const;
template uint32_t Pci::read<uint32_t>(PciFunction, uint32_t) const;
template void Pci::write<uint8_t>(PciFunction, uint32_t, uint8_t) const;
template void Pci::write<uint16_t>(PciFunction, uint32_t, uint16_t) const;
template void Pci::write<uint32_t>(PciFunction, uint32_t, uint32_t) const;

bool Pci::find(uint16_t vendor, uint16_t device, uint32_t index, PciFunction& result) const {
    const uint32_t wanted = uint32_t{device} << 16 | vendor;
    for (uint8_t slot = 0; slot < 32; ++slot) {
        if (read<uint32_t>({slot, 0}, 0) != wanted) continue;
        if (index-- != 0) continue;
        result = {slot, 0};
        return true;
    }
    return false;
}

uint8_t Pci::next_capability(PciFunction function, uint8_t id, uint8_t after) const {
    uint32_t offset = after ? after + 1u : capabilities_pointer;
    for (int i = 0; i < 48; ++i) {
        const uint8_t capability = read<uint8_t>(function, offset) & 0xfc;
        if (capability < 0x40) return 0;
        if (read<uint8_t>(function, capability) == id) return capability;
        offset = capability + 1u;
    }
    return 0;
}

uint64_t Pci::bar_size(PciFunction function, uint8_t bar) const {
    const uint32_t offset = bar_offset(bar);
    const uint16_t old_command = read<uint16_t>(function, command);
    write<uint16_t>(function, command, old_command & ~3u);
    const uint32_t low = read<uint32_t>(function, offset);
    write<uint32_t>(function, offset, ~0u);
    uint64_t mask = read<uint32_t>(function, offset);
    write<uint32_t>(function, offset, low);
    const bool wide = !(low & bar_is_io) && (low & bar_type_mask) == bar_type_64;
    if (wide) {
        const uint32_t high = read<uint32_t>(function, offset + 4);
        write<uint32_t>(function, offset + 4, ~0u);
        mask |= uint64_t{read<uint32_t>(function, offset + 4)} << 32;
        write<uint32_t>(function, offset + 4, high);
    } else if (mask != 0) {
        mask |= 0xffffffff00000000;
    }
    write<uint16_t>(function, command, old_command);
    mask &= (low & bar_is_io) ? ~uint64_t{3} : ~uint64_t{15};
    return mask == 0 ? 0 : ~mask + 1;
}

uint64_t Pci::bar_address(PciFunction function, uint8_t bar) {
    const uint32_t low = read<uint32_t>(function, bar_offset(bar));
    if (low & bar_is_io) return 0;
    uint64_t address = low & ~15u;
    if ((low & bar_type_mask) == bar_type_64) {
        address |= uint64_t{read<uint32_t>(function, bar_offset(bar) + 4)} << 32;
    }
    if (address != 0) return address;
    const uint64_t size = bar_size(function, bar);
    if (size == 0) return 0;
    next_bar_ = (next_bar_ + size - 1) & ~(size - 1);
    set_bar_address(function, bar, next_bar_);
    next_bar_ += size;
    return next_bar_ - size;
}

void Pci::set_bar_address(PciFunction function, uint8_t bar, uint64_t address) const {
    const uint32_t low = read<uint32_t>(function, bar_offset(bar));
    write<uint32_t>(function, bar_offset(bar), static_cast<uint32_t>(address));
    if (!(low & bar_is_io) && (low & bar_type_mask) == bar_type_64) {
        write<uint32_t>(function, bar_offset(bar) + 4, static_cast<uint32_t>(address >> 32));
    }
}

void Pci::enable(PciFunction function) const {
    write<uint16_t>(function, command, 0x0406);
}

}  // namespace probe

#include "devices/pci/root.h"

#include "vmm/layout.h"

namespace sheaf::pci {

namespace {

namespace layout = vmm::layout;

// By this number EDK II's platform for cloud hypervisors recognizes a machine that hands over by
// PVH and has no firmware configuration device (OvmfPkg/Include/IndustryStandard/CloudHv.h).
constexpr Identity bridge_identity = {.vendor = 0x8086,
                                      .device = 0x0d57,
                                      .subsystem_vendor = 0x1af4,
                                      .subsystem = 0x1100,
                                      .class_code = 0x060000};

constexpr std::uint32_t address_enabled = 1u << 31;
constexpr std::uint64_t ports_length = 8;
constexpr unsigned data_port = 4;

// The address register's bus, device, function and register, as an offset into ECAM.
std::uint64_t location_of(std::uint32_t address, std::uint64_t byte) {
    const std::uint64_t function = address >> 8 & 0xffff;
    return function << 12 | (address & 0xfc) | byte;
}

}  // namespace

Root::Root(vmm::Bus& memory) {
    functions_[0] = std::make_unique<Function>(bridge_identity, memory);
}

Result<void> Root::add(std::unique_ptr<Function> function) {
    for (auto& slot : functions_) {
        if (slot) continue;
        slot = std::move(function);
        return {};
    }
    return fail(Kind::exhausted, "all {} PCI slots are in use", slots);
}

Result<void> Root::assign_bars() {
    auto next = layout::mmio_window;
    for (const auto& function : functions_)
        if (function)
            next = TRY(function->assign_bars(next, layout::mmio_window + layout::mmio_window_size));
    return {};
}

Result<void> Root::attach(vmm::Bus& ports, vmm::Bus& memory) {
    TRY(ports.add(layout::port_pci_address, ports_length, port_handler_));
    return memory.add(layout::ecam.value(), layout::ecam_size, ecam_handler_);
}

Function* Root::find(std::uint64_t location, std::size_t length) const {
    const auto bus = location >> 20;
    const auto slot = location >> 15 & 31;
    const auto function = location >> 12 & 7;
    const auto offset = location & 0xfff;
    if (bus != 0 || function != 0 || offset + length > ConfigSpace::size) return nullptr;
    return functions_[slot].get();
}

void Root::read(std::uint64_t location, std::span<std::byte> data) {
    if (auto* function = find(location, data.size()))
        function->read_config(static_cast<unsigned>(location & 0xfff), data);
    else
        std::ranges::fill(data, std::byte{0xff});
}

void Root::write(std::uint64_t location, std::span<const std::byte> data) {
    if (auto* function = find(location, data.size()))
        function->write_config(static_cast<unsigned>(location & 0xfff), data);
}

void Root::Ports::read(std::uint64_t offset, std::span<std::byte> data) {
    const auto lock = std::lock_guard{root_.mutex_};
    if (offset < data_port) {
        store_register(data, address_ >> 8 * offset);
    } else if (address_ & address_enabled) {
        root_.read(location_of(address_, offset - data_port), data);
    } else {
        std::ranges::fill(data, std::byte{0xff});
    }
}

void Root::Ports::write(std::uint64_t offset, std::span<const std::byte> data) {
    const auto lock = std::lock_guard{root_.mutex_};
    if (offset < data_port) {
        // Only a whole double word reaches the address register (PCI 3.0, 3.2.2.3.2).
        if (offset == 0 && data.size() == 4) address_ = load<std::uint32_t>(data);
    } else if (address_ & address_enabled) {
        root_.write(location_of(address_, offset - data_port), data);
    }
}

void Root::Ecam::read(std::uint64_t offset, std::span<std::byte> data) {
    const auto lock = std::lock_guard{root_.mutex_};
    root_.read(offset, data);
}

void Root::Ecam::write(std::uint64_t offset, std::span<const std::byte> data) {
    const auto lock = std::lock_guard{root_.mutex_};
    root_.write(offset, data);
}

}  // namespace sheaf::pci

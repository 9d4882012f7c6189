#include "devices/pci/config_space.h"

#include "base/units.h"

namespace sheaf::pci {

namespace {

constexpr std::uint16_t status_capabilities = 1 << 4;

}  // namespace

ConfigSpace::ConfigSpace(const Identity& identity) {
    set(config::vendor, identity.vendor);
    set(config::device, identity.device);
    set(config::revision, identity.revision);
    set(config::class_code, static_cast<std::uint8_t>(identity.class_code));
    set(config::class_code + 1, static_cast<std::uint16_t>(identity.class_code >> 8));
    set(config::subsystem_vendor, identity.subsystem_vendor);
    set(config::subsystem, identity.subsystem);
    set_writable(config::command, static_cast<std::uint16_t>(command_memory | command_bus_master |
                                                             command_interrupt_disable));
    set_writable(config::interrupt_line, std::uint8_t{0xff});
}

unsigned ConfigSpace::add_capability(std::uint8_t identifier, std::span<const std::byte> body) {
    const auto offset = next_capability_;
    set(config::status, status_capabilities);
    set(last_link_, static_cast<std::uint8_t>(offset));
    set(offset, identifier);
    std::ranges::copy(body, values_.begin() + offset + 2);
    last_link_ = offset + 1;
    next_capability_ = static_cast<unsigned>(align_up(offset + 2 + body.size(), std::size_t{4}));
    return offset;
}

void ConfigSpace::read(unsigned offset, std::span<std::byte> data) const {
    std::ranges::copy(std::span{values_}.subspan(offset, data.size()), data.begin());
}

void ConfigSpace::write(unsigned offset, std::span<const std::byte> data) {
    for (std::size_t i = 0; i < data.size(); ++i) {
        const auto mask = writable_[offset + i];
        auto& value = values_[offset + i];
        value = (value & ~mask) | (data[i] & mask);
    }
}

}  // namespace sheaf::pci

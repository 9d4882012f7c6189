#include "devices/pci/pvpanic.h"

namespace sheaf::pci {

namespace {

constexpr Identity identity = {.vendor = 0x1b36,
                               .device = 0x0011,
                               .subsystem_vendor = 0x1af4,
                               .subsystem = 0x1100,
                               .class_code = 0xff0000};

constexpr std::uint32_t bar_size = 4096;
constexpr std::uint8_t panicked = 1;      // the guest has panicked
constexpr std::uint8_t crash_loaded = 2;  // it has, and goes on with a crash kernel of its own

}  // namespace

Pvpanic::Pvpanic(vmm::Bus& memory, vmm::EndingSink& sink)
    : Function(identity, memory), events_(sink) {
    add_bar(bar_size, events_);
}

void Pvpanic::Events::read(std::uint64_t offset, std::span<std::byte> data) {
    store_register(data, offset == 0 ? panicked | crash_loaded : 0);
}

void Pvpanic::Events::write(std::uint64_t offset, std::span<const std::byte> data) {
    if (offset == 0 && (load_register(data) & panicked))
        sink_.ended({vmm::Ending::How::panicked, "the guest's kernel panicked"});
}

}  // namespace sheaf::pci

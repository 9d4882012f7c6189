#include "devices/legacy/acpi_power.h"

#include "base/bytes.h"
#include "vmm/layout.h"

namespace sheaf::legacy {

void AcpiSleep::read(std::uint64_t, std::span<std::byte> data) {
    store_register(data, 0);  // the guest never woke up from anything
}

void AcpiSleep::write(std::uint64_t offset, std::span<const std::byte> data) {
    if (offset != 0) return;  // the status register: clearing what is never set
    const auto value = std::to_integer<std::uint8_t>(data.front());
    if (value == vmm::layout::acpi_sleep_s5) sink_.ended({vmm::Ending::How::powered_off, {}});
    if (value == vmm::layout::acpi_reset_value) sink_.ended({vmm::Ending::How::reset, {}});
}

void AcpiEvents::read(std::uint64_t, std::span<std::byte> data) {
    store_register(data, pending_.exchange(0));
}

void AcpiEvents::press_power_button() {
    pending_ |= vmm::layout::acpi_event_power_button;
    line_.pulse();
}

}  // namespace sheaf::legacy

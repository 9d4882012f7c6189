// Prints the fixed addresses of the machine as preprocessor definitions for dsdt.asl.

#include <cstdio>

#include "vmm/layout.h"

namespace {

namespace layout = sheaf::vmm::layout;

void define(const char* name, unsigned long long value) {
    std::printf("#define %s 0x%llx\n", name, value);
}

}  // namespace

int main() {
    define("MMIO_START", layout::mmio_window.value());
    define("MMIO_SIZE", layout::mmio_window_size);
    define("MMIO_LAST", layout::mmio_window.value() + layout::mmio_window_size - 1);
    define("ECAM_START", layout::ecam.value());
    define("ECAM_SIZE", layout::ecam_size);
    define("LAST_BUS", layout::ecam_size / sheaf::operator""_MiB(1) - 1);
    define("BUS_COUNT", layout::ecam_size / sheaf::operator""_MiB(1));
    define("PORT_COM1", layout::port_com1);
    define("IRQ_COM1", layout::irq_com1);
    define("GENERATION_ID", layout::generation_id.value());
    define("PORT_CMOS", layout::port_cmos);
    define("PORT_PCI", layout::port_pci_address);
    define("PORT_EVENTS", layout::port_acpi_events);
    define("IRQ_EVENTS", layout::irq_acpi_events);
    define("EVENT_POWER_BUTTON", layout::acpi_event_power_button);
    define("SLEEP_TYPE_S5", layout::acpi_sleep_s5 >> 2 & 7);
    return 0;
}

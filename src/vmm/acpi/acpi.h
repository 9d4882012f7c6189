#pragma once

// Why: without ACPI an unmodified kernel finds neither its second processor nor PCI. This writes
// the tables of a hardware-reduced machine into guest memory. What: ACPI 6.0; the definition block
// comes from firmware/acpi/dsdt.asl.

#include "vmm/guest_memory.h"

namespace sheaf::vmm::acpi {

struct AcpiConfig {
    unsigned cpus = 1;  // local APIC ids and ACPI processor ids are 0 to cpus - 1
};

// Writes RSDP, DSDT, FADT, MADT, MCFG and XSDT to layout::acpi_tables and gives the RSDP's address.
// Fails with invalid where there are no processors or too many to list, or the memory is smaller
// than 1 MiB.
Result<Gpa> build_acpi(const GuestMemory& memory, const AcpiConfig& config);

}  // namespace sheaf::vmm::acpi

// Looking ACPI tables up by their signature, from the RSDP of the PVH start_info.
#pragma once

#include <cstdint>

namespace probe {

// Address of the first table with this signature ("APIC", "MCFG"), zero when there is none or when
// a checksum on the way is wrong.
uint64_t find_acpi_table(uint64_t root, const char* signature);

// Number of enabled processors in the MADT, zero without a MADT.
uint32_t processors_in_madt(uint64_t root);

// Address of the first ECAM window in the MCFG, zero without one.
uint64_t ecam_in_mcfg(uint64_t root);

}  // namespace probe

#pragma once

// Why: Linux takes a hardware-reduced machine for one with EFI and does not reset it through ACPI.
// Without EFI its next try is a restart in real mode, a jump to F000:FFF0 where a PC has its
// BIOS. Here a few instructions stand there that pull the ACPI reset register.

#include "vmm/guest_memory.h"

namespace sheaf::vmm::boot {

// Writes them to layout::reset_vector, which the memory map reserves.
Result<void> write_reset_vector(const GuestMemory& memory);

}  // namespace sheaf::vmm::boot

#pragma once

// Why: both boot protocols tell the guest which addresses are memory. This is that map, made once
// from the guest's memory and layout.h.

#include <vector>

#include "vmm/guest_memory.h"

namespace sheaf::vmm::boot {

// The numbers are those of e820 and of PVH's memory map alike.
enum class MemoryKind : std::uint32_t { ram = 1, reserved = 2 };

struct MemoryRange {
    Gpa start;
    std::uint64_t size = 0;
    MemoryKind kind = MemoryKind::ram;
    bool operator==(const MemoryRange&) const = default;
};

// Sorted and disjoint. Reserved are the BIOS area with the ACPI tables, PCI's configuration window
// (Linux refuses it otherwise), and the pages KVM keeps for itself on Intel.
std::vector<MemoryRange> memory_map(const GuestMemory& memory);

// Where the guest's memory below the hole ends.
Gpa low_memory_limit(const GuestMemory& memory);

}  // namespace sheaf::vmm::boot

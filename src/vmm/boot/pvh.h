#pragma once

// Why: PVH hands over its facts in hvm_start_info. What: Xen, public/arch-x86/hvm/start_info.h,
// version 1 (with the memory map).

#include "vmm/boot/payload.h"

namespace sheaf::vmm::boot {

inline constexpr std::uint32_t pvh_magic = 0x336ec578;

struct PvhStartInfo {
    std::uint32_t magic = pvh_magic;
    std::uint32_t version = 1;
    std::uint32_t flags = 0;
    std::uint32_t module_count = 0;
    std::uint64_t modules = 0;  // address of PvhModule[module_count]
    std::uint64_t command_line = 0;
    std::uint64_t rsdp = 0;
    std::uint64_t memory_map = 0;  // address of PvhMemoryRange[memory_map_count]
    std::uint32_t memory_map_count = 0;
    std::uint32_t reserved = 0;
};

struct PvhModule {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    std::uint64_t command_line = 0;
    std::uint64_t reserved = 0;
};

struct PvhMemoryRange {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    std::uint32_t type = 0;
    std::uint32_t reserved = 0;
};

// Writes start info, module list (the initrd) and memory map to their places in layout.h.
Result<void> write_start_info(const GuestMemory& memory, const Payload& payload, Gpa rsdp);

}  // namespace sheaf::vmm::boot

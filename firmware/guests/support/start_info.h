// What the PVH boot protocol hands over (Xen, public/arch-x86/hvm/start_info.h, version 1).
#pragma once

#include <cstdint>

namespace probe {

struct StartInfo {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t module_count;
    uint64_t modules;
    uint64_t command_line;
    uint64_t acpi_root;
    uint64_t memory_map;
    uint32_t memory_map_entries;
    uint32_t reserved;
};

struct MemoryMapEntry {
    uint64_t address;
    uint64_t size;
    uint32_t type;
    uint32_t reserved;
};

constexpr uint32_t start_info_magic = 0x336ec578;
constexpr uint32_t memory_ram = 1;

}  // namespace probe

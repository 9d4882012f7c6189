#include "vmm/boot/memory_map.h"

#include "vmm/layout.h"

namespace sheaf::vmm::boot {

Gpa low_memory_limit(const GuestMemory& memory) {
    const auto& low = memory.regions().front();
    return low.start + low.bytes.size();
}

std::vector<MemoryRange> memory_map(const GuestMemory& memory) {
    constexpr auto bios_area = layout::high_memory - layout::low_memory_end;
    constexpr auto kvm_pages = layout::kvm_tss + 3 * 4_KiB - layout::kvm_identity_map;
    const auto limit = low_memory_limit(memory);

    auto map = std::vector<MemoryRange>{
        {Gpa{0}, layout::low_memory_end.value(), MemoryKind::ram},
        {layout::low_memory_end, bios_area, MemoryKind::reserved},
    };
    if (limit > layout::high_memory)
        map.push_back({layout::high_memory, limit - layout::high_memory, MemoryKind::ram});
    map.push_back({layout::ecam, layout::ecam_size, MemoryKind::reserved});
    map.push_back({layout::kvm_identity_map, kvm_pages, MemoryKind::reserved});
    for (const auto& region : memory.regions().subspan(1))
        map.push_back({region.start, region.bytes.size(), MemoryKind::ram});
    return map;
}

}  // namespace sheaf::vmm::boot

#include "vmm/boot/pvh.h"

#include "vmm/boot/memory_map.h"
#include "vmm/layout.h"

namespace sheaf::vmm::boot {

namespace {

constexpr Gpa module_list =
    layout::pvh_start_info + align_up<std::uint64_t>(sizeof(PvhStartInfo), 32);
static_assert(module_list + sizeof(PvhModule) <= layout::pvh_memory_map);

}  // namespace

Result<void> write_start_info(const GuestMemory& memory, const Payload& payload, Gpa rsdp) {
    auto info = PvhStartInfo{
        .command_line = layout::command_line.value(),
        .rsdp = rsdp.value(),
        .memory_map = layout::pvh_memory_map.value(),
    };
    if (payload.initrd_size > 0) {
        info.module_count = 1;
        info.modules = module_list.value();
        const auto initrd =
            PvhModule{.address = payload.initrd.value(), .size = payload.initrd_size};
        TRY(memory.write(module_list, initrd));
    }
    for (const auto& range : memory_map(memory)) {
        const auto entry = PvhMemoryRange{
            .address = range.start.value(),
            .size = range.size,
            .type = static_cast<std::uint32_t>(range.kind),
        };
        TRY(memory.write(layout::pvh_memory_map + info.memory_map_count * sizeof(entry), entry));
        ++info.memory_map_count;
    }
    return memory.write(layout::pvh_start_info, info);
}

}  // namespace sheaf::vmm::boot

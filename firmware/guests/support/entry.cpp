#include "support/console.h"
#include "support/hardware.h"
#include "support/machine.h"

extern "C" const char image_end;

namespace probe {
namespace {

Arena memory_behind_image(const StartInfo& info) {
    const uint64_t image = address_of(&image_end);
    for (uint32_t i = 0; i < info.memory_map_entries; ++i) {
        const auto& entry = at<const MemoryMapEntry>(info.memory_map)[i];
        if (entry.type != memory_ram || entry.address > image) continue;
        if (image - entry.address < entry.size) return Arena(image, entry.address + entry.size);
    }
    return Arena();
}

}  // namespace

void exit_machine(int code) {
    out8(0xf4, static_cast<uint8_t>(code));
    out8(0x600, 0x34);
    for (;;) asm volatile("ud2");
}

extern "C" [[noreturn]] void probe_entry(const StartInfo* info) {
    if (info->magic != start_info_magic) {
        print("probe: start_info has the wrong magic {x}\n", info->magic);
        exit_machine(1);
    }
    const CommandLine command_line(info->command_line ? at<const char>(info->command_line) : "");
    Machine machine{command_line, Clock(command_line), memory_behind_image(*info), info->acpi_root,
                    *info};
    const int code = run(machine);
    // `hold_ms=N` keeps the machine alive for whoever looks at its processes.
    const Deadline hold(machine.clock, command_line.number("hold_ms", 0));
    while (!hold.passed()) relax();
    exit_machine(code);
}

}  // namespace probe

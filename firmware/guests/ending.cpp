// Every way in which a guest can end, after one line.
//
// end=poweroff (default), reset, panic (pvpanic), crash (triple fault), or hang: nothing at all
// lines=N   prints N numbered lines before that
#include "support/console.h"
#include "support/hardware.h"
#include "support/machine.h"
#include "support/pci.h"

namespace probe {
namespace {

// What Linux's pvpanic driver does: the first byte of the first BAR takes the event.
void panic(Machine& machine) {
    Pci pci(machine.command_line);
    PciFunction function;
    if (!pci.find(0x1b36, 0x0011, 0, function)) return print("FAIL no pvpanic\n");
    const uint64_t events = pci.bar_address(function, 0);
    pci.enable(function);
    mmio_write<uint8_t>(events, 1);
}

}  // namespace

int run(Machine& machine) {
    const auto wants = [&](const char* end) {
        return machine.command_line.lists("end", end, false);
    };
    print("ending begins\n");
    for (uint64_t line = 0; line < machine.command_line.number("lines", 0); ++line)
        print("line {} of many\n", line);
    if (wants("reset")) out8(0x600, 1);
    if (wants("panic")) panic(machine);
    if (wants("crash")) {
        // Address zero as the stack and an invalid opcode: no handler can run.
        asm volatile("xor %%esp, %%esp\n ud2" ::: "memory");
    }
    if (wants("reset") || wants("panic") || wants("hang")) {
        for (;;) relax();
    }
    return 0;
}

}  // namespace probe

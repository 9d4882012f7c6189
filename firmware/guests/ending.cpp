// Every way in which a guest can end, after one line.
//
// end=poweroff (default), reset, panic (pvpanic), crash (triple fault), or hang: nothing at all
#include "support/console.h"
#include "support/hardware.h"
#include "support/machine.h"

namespace probe {

int run(Machine& machine) {
    const auto wants = [&](const char* end) {
        return machine.command_line.lists("end", end, false);
    };
    print("ending begins\n");
    if (wants("reset")) out8(0x600, 1);
    if (wants("panic")) out8(0x505, 1);
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

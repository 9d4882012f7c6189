// Traps itself by INT3: each is delivered once, and returns behind the instruction.
//
// count=N   how often (default 1000)
#include "support/console.h"
#include "support/machine.h"

extern "C" volatile uint32_t trap_count;
extern "C" volatile uint64_t trap_return;

namespace probe {

int run(Machine& machine) {
    const uint64_t count = machine.command_line.number("count", 1000);
    print("traps begin\n");
    for (uint64_t i = 0; i < count; ++i) {
        const uint32_t before = trap_count;
        uint64_t behind;
        asm volatile("int3\n1: lea 1b(%%rip), %0" : "=r"(behind)::"memory");
        if (trap_count != before + 1) {
            print("FAIL traps: {} of trap {} were delivered\n", trap_count - before, i);
            return 1;
        }
        if (trap_return != behind) {
            print("FAIL traps: trap {} returned to {}\n", i, trap_return);
            return 1;
        }
    }
    print("traps ok {}\n", count);
    return 0;
}

}  // namespace probe

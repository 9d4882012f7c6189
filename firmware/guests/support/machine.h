// What a probe is given: its command line, a clock and memory. A probe is one function, run().
#pragma once

#include "support/clock.h"
#include "support/command_line.h"
#include "support/memory.h"
#include "support/start_info.h"

namespace probe {

struct Machine {
    CommandLine command_line;
    Clock clock;
    Arena arena;
    uint64_t acpi_root;  // address of the RSDP, zero when the loader gave none
    const StartInfo& start_info;
};

// Written by each probe. Its result is the exit code: zero when all went well.
int run(Machine& machine);

// Ends the machine with this code: isa-debug-exit where that exists, then ACPI S5, then the halt
// of a triple fault. Nothing runs afterwards.
[[noreturn]] void exit_machine(int code);

}  // namespace probe

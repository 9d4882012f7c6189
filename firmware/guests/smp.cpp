// Starts the other processors by INIT and SIPI; each counts on its own and on a shared counter.
//
// cpus=N    how many processors must come up, this one included (default 2)
// count=N   how far each counts (default 1000000)
#include "support/acpi.h"
#include "support/console.h"
#include "support/machine.h"

extern "C" const char trampoline_begin, trampoline_end;
extern "C" uint32_t next_stack;

namespace probe {
namespace {

constexpr uint64_t trampoline_address = 0x8000;
constexpr uint32_t stack_size = 16384;
constexpr uint32_t most_processors = 64;
constexpr uint64_t apic_id = 0xfee00020;
constexpr uint64_t apic_command = 0xfee00300;
constexpr uint32_t init_all_others = 0x000c4500;
constexpr uint32_t start_all_others = 0x000c4600 | trampoline_address >> 12;

struct Processor {
    uint32_t apic_id;
    uint64_t counted;
};

// What the processors share: it must be reachable from an entry point without arguments.
struct Shared {
    uint64_t goal;
    uint32_t started;
    uint32_t finished;
    uint64_t total;
    Processor processors[most_processors];
} shared;

void count() {
    const uint32_t own = __atomic_fetch_add(&shared.started, 1, __ATOMIC_SEQ_CST);
    if (own >= most_processors) return;
    Processor& processor = shared.processors[own];
    // CPUID in ring 3 is the host's own where KVM is one in software.
    processor.apic_id = mmio_read<uint32_t>(apic_id) >> 24;
    for (uint64_t i = 0; i < shared.goal; ++i) {
        ++processor.counted;
        compiler_barrier();
        __atomic_fetch_add(&shared.total, 1, __ATOMIC_RELAXED);
    }
    __atomic_fetch_add(&shared.finished, 1, __ATOMIC_SEQ_CST);
}

extern "C" [[noreturn]] void application_processor_entry() {
    count();
    for (;;) relax();
}

void send(uint32_t command) {
    mmio_write<uint32_t>(apic_command, command);
    while (mmio_read<uint32_t>(apic_command) & 1 << 12) relax();
}

// Zero when every processor counted to the end and no increment was lost.
int judge(uint32_t cpus, uint32_t described) {
    for (uint32_t i = 0; i < cpus && i < most_processors; ++i) {
        const Processor& processor = shared.processors[i];
        print("cpu {} apic={} counted={}\n", i, processor.apic_id, processor.counted);
        for (uint32_t other = 0; other < i; ++other) {
            if (shared.processors[other].apic_id != processor.apic_id) continue;
            print("FAIL smp: two processors have APIC id {}\n", processor.apic_id);
            return 1;
        }
    }
    if (shared.started != cpus || shared.finished != cpus || shared.total != cpus * shared.goal) {
        print("FAIL smp: started={} finished={} total={}\n", shared.started, shared.finished,
              shared.total);
        return 1;
    }
    if (described != 0 && described != cpus) {
        print("FAIL smp: the MADT describes {} processors\n", described);
        return 1;
    }
    print("smp ok cpus={} madt={}\n", cpus, described);
    return 0;
}

}  // namespace

int run(Machine& machine) {
    const auto cpus = static_cast<uint32_t>(machine.command_line.number("cpus", 2));
    shared.goal = machine.command_line.number("count", 1'000'000);
    const uint64_t stacks = machine.arena.take(uint64_t{most_processors} * stack_size);
    if (stacks == 0 || cpus > most_processors) {
        print("FAIL smp: not enough memory\n");
        return 1;
    }
    next_stack = static_cast<uint32_t>(stacks) + stack_size;
    copy_bytes(trampoline_address, address_of(&trampoline_begin),
               static_cast<uint64_t>(&trampoline_end - &trampoline_begin));
    if (cpus > 1) {
        send(init_all_others);
        send(start_all_others);
        send(start_all_others);
    }
    count();
    const Deadline deadline(machine.clock, 10'000);
    while (__atomic_load_n(&shared.finished, __ATOMIC_SEQ_CST) < cpus && !deadline.passed())
        relax();
    return judge(cpus, processors_in_madt(machine.acpi_root));
}

}  // namespace probe

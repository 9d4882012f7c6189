#pragma once

// Why: the first instruction of a kernel expects a processor that a boot loader has prepared. This
// is that state as plain data for KVM's setters, and the tables in guest memory that it points to.
// Only the first vCPU gets it; the others wait for their start-up interrupt in KVM's reset state.

#include <linux/kvm.h>

#include "vmm/boot/entry.h"
#include "vmm/guest_memory.h"

namespace sheaf::vmm::x86 {

enum class ApicMode {
    xapic,   // as after reset
    x2apic,  // for machines with local APIC ids above 254; to be set on every vCPU
};

// Writes the descriptor table and, for long mode, page tables that map the first 4 GiB one to one
// with pages of 2 MiB, to their places in layout.h.
Result<void> write_entry_tables(const GuestMemory& memory, boot::Protocol protocol);

// General registers: instruction pointer, the protocol's parameter register, stack, flags.
kvm_regs entry_registers(const boot::Entry& entry);

// Segments, control registers and tables of the protocol over the registers as KVM reset them.
kvm_sregs entry_system_registers(boot::Protocol protocol, const kvm_sregs& reset);

// The local APIC base register in `mode`; everything else as in `registers`.
kvm_sregs with_apic_mode(const kvm_sregs& registers, ApicMode mode);

// The floating-point state after FNINIT, with SSE exceptions masked.
kvm_fpu entry_fpu();

// LINT0 takes interrupts of an external controller, LINT1 is the NMI; every vCPU.
kvm_lapic_state with_local_interrupts(const kvm_lapic_state& state);

}  // namespace sheaf::vmm::x86

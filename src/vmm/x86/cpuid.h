#pragma once

// Why: a guest learns what its processor can do, and how the processors of the machine relate, from
// CPUID. This turns what KVM offers into what one virtual CPU shows. What: Intel SDM volume 2A
// CPUID, AMD APM volume 3 appendix E, and Linux virt/kvm/x86/cpuid.rst for the 0x40000000 leaves.

#include <linux/kvm.h>

#include <cstdint>
#include <span>
#include <vector>

namespace sheaf::vmm::x86 {

// Which of the machine's processors, and what its KVM can do. The processors are cores of one
// package, one thread each, and the local APIC id of each is its index.
struct Processor {
    unsigned index = 0;
    unsigned count = 1;
    // KVM_CAP_TSC_DEADLINE_TIMER: KVM serves it but does not list it.
    bool tsc_deadline = false;
    // KVM_CAP_X2APIC_API was enabled with 32-bit ids, so interrupts reach ids above 254.
    bool extended_destination = false;
    std::uint32_t tsc_khz = 0;  // 0 where unknown
};

// What to give to KVM_SET_CPUID2 for `processor`: `supported` (KVM_GET_SUPPORTED_CPUID), without
// what Sheaf does not offer (nested virtualisation, performance counters, power management, SGX),
// with the topology of this machine. Never fails: a leaf that KVM does not offer stays away.
std::vector<kvm_cpuid_entry2> make_cpuid(std::span<const kvm_cpuid_entry2> supported,
                                         const Processor& processor);

}  // namespace sheaf::vmm::x86

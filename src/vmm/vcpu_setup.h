#pragma once

// Why: the steps that turn fresh vCPUs into processors that can start: CPUID before the registers
// that depend on it, boot MSRs, local interrupts, and for the first one the kernel's entry state.

#include "vmm/boot/entry.h"
#include "vmm/guest_memory.h"
#include "vmm/kvm.h"

namespace sheaf::vmm {

// Makes `count` vCPUs of the VM ready to run; the first enters at `entry`, the others wait for INIT
// and SIPI. The interrupt controller exists already. Errors are KVM's.
Result<std::vector<VcpuFd>> make_vcpus(const Kvm& kvm, const VmFd& vm, const GuestMemory& memory,
                                       unsigned count, const boot::Entry& entry);

}  // namespace sheaf::vmm

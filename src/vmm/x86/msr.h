#pragma once

// Why: a few model-specific registers must hold more than KVM's reset value before the first
// instruction, or the guest takes its memory for uncached or its string copies for slow.

#include <span>

#include "vmm/kvm.h"

namespace sheaf::vmm::x86 {

// For KVM_SET_MSRS on every vCPU after its CPUID, in this order. Intel SDM volume 4 names them.
std::span<const MsrValue> boot_msrs();

}  // namespace sheaf::vmm::x86

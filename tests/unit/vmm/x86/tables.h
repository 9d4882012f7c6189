#pragma once

// Why: what KVM_GET_SUPPORTED_CPUID gave on real hosts, so that the filter is tested for both
// vendors on any machine. Leaves that read as zero are left out.

#include <linux/kvm.h>

#include <vector>

namespace sheaf::vmm::x86 {

inline kvm_cpuid_entry2 leaf(std::uint32_t function, std::uint32_t index, std::uint32_t eax,
                             std::uint32_t ebx, std::uint32_t ecx, std::uint32_t edx) {
    return {.function = function,
            .index = index,
            .flags = 0,
            .eax = eax,
            .ebx = ebx,
            .ecx = ecx,
            .edx = edx,
            .padding = {}};
}
@TABLES@
}  // namespace sheaf::vmm::x86

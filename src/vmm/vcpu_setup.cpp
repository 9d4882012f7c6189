#include "vmm/vcpu_setup.h"

#include <algorithm>

#include "vmm/x86/cpuid.h"
#include "vmm/x86/entry_state.h"
#include "vmm/x86/msr.h"

namespace sheaf::vmm {

namespace {

// Sets all that KVM takes. A host may lack one of them (software KVM does); the guest then sees its
// reset value.
Result<void> set_boot_msrs(const VcpuFd& vcpu) {
    auto rest = x86::boot_msrs();
    while (!rest.empty()) {
        const auto taken = TRY(vcpu.set_msrs(rest));
        rest = rest.subspan(std::min(taken + 1, rest.size()));
    }
    return {};
}

Result<void> prepare(const VcpuFd& vcpu, std::span<const kvm_cpuid_entry2> supported,
                     const x86::Processor& processor) {
    TRY(vcpu.set_cpuid(x86::make_cpuid(supported, processor)));
    TRY(set_boot_msrs(vcpu));
    return vcpu.set_local_apic(x86::with_local_interrupts(TRY(vcpu.local_apic())));
}

Result<void> prepare_entry(const VcpuFd& vcpu, const boot::Entry& entry) {
    const auto reset = TRY(vcpu.system_registers());
    TRY(vcpu.set_system_registers(x86::entry_system_registers(entry.protocol, reset)));
    TRY(vcpu.set_registers(x86::entry_registers(entry)));
    return vcpu.set_fpu(x86::entry_fpu());
}

}  // namespace

Result<std::vector<VcpuFd>> make_vcpus(const Kvm& kvm, const VmFd& vm, const GuestMemory& memory,
                                       unsigned count, const boot::Entry& entry) {
    const auto supported = TRY(kvm.supported_cpuid());
    auto vcpus = std::vector<VcpuFd>{};
    for (unsigned index = 0; index < count; ++index) {
        vcpus.push_back(TRY_WITHIN(vm.create_vcpu(index), "vCPU {}", index));
        auto processor = x86::Processor{};
        processor.index = index;
        processor.count = count;
        processor.tsc_deadline = kvm.capability(KVM_CAP_TSC_DEADLINE_TIMER) > 0;
        processor.tsc_khz = vcpus.back().tsc_khz();
        TRY_WITHIN(prepare(vcpus.back(), supported, processor), "vCPU {}", index);
    }
    TRY(x86::write_entry_tables(memory, entry.protocol));
    TRY_WITHIN(prepare_entry(vcpus.front(), entry), "vCPU 0");
    return vcpus;
}

}  // namespace sheaf::vmm

#pragma once

// Why: every KVM ioctl that Sheaf issues is one function here and nowhere else, with the kernel's
// documentation (virt/kvm/api.rst) as its contract. An error names the ioctl. A VM belongs to the
// process that made it.

#include <linux/kvm.h>

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/mapping.h"
#include "base/units.h"

namespace sheaf::vmm {

struct MsrValue {
    std::uint32_t index;
    std::uint64_t value;
};

// Floating-point and vector registers, as XSAVE lays them out.
using ExtendedState = std::array<std::byte, 4096>;

// One virtual CPU. Its ioctls belong to the thread that runs it; set_immediate_exit() may be called
// from any thread and from a signal handler.
class VcpuFd {
  public:
    VcpuFd(Fd fd, Mapping run) : fd_(std::move(fd)), run_(std::move(run)) {}

    // Enters the guest; the errno of KVM_RUN, or 0 when state() holds an exit.
    int run() const;
    kvm_run& state() const;
    void set_immediate_exit(bool on) const;

    Result<void> set_cpuid(std::span<const kvm_cpuid_entry2> entries) const;
    Result<void> set_registers(const kvm_regs& registers) const;
    Result<kvm_regs> registers() const;
    Result<void> set_system_registers(const kvm_sregs& registers) const;
    Result<kvm_sregs> system_registers() const;
    Result<void> set_fpu(const kvm_fpu& fpu) const;
    Result<void> set_extended_state(const ExtendedState& state) const;
    Result<ExtendedState> extended_state() const;
    Result<void> set_local_apic(const kvm_lapic_state& state) const;
    Result<kvm_lapic_state> local_apic() const;
    Result<void> set_debug_registers(const kvm_debugregs& registers) const;
    Result<kvm_debugregs> debug_registers() const;
    // Which traps leave the guest from now on, and which exception it gets first.
    Result<void> set_guest_debug(const kvm_guest_debug& debug) const;
    // Tells a guest whose clock is KVM's that it stood still, so that it does not blame itself.
    void excuse_pause() const;
    // The guest's time stamp counter frequency, 0 where KVM does not tell.
    std::uint32_t tsc_khz() const;
    // Sets them in order; gives how many KVM took before it refused one.
    Result<std::size_t> set_msrs(std::span<const MsrValue> values) const;

  private:
    Fd fd_;
    Mapping run_;
};

// One virtual machine. Thread-safe as the kernel's own ioctls are.
class VmFd {
  public:
    VmFd(Fd fd, std::size_t vcpu_mapping) : fd_(std::move(fd)), vcpu_mapping_(vcpu_mapping) {}

    // The capability's value, 0 where it is missing.
    int capability(unsigned capability) const;
    Result<void> enable(unsigned capability, std::uint64_t argument) const;
    Result<void> set_tss_address(Gpa address) const;
    Result<void> set_identity_map_address(Gpa address) const;
    Result<void> set_memory(unsigned slot, Gpa start, std::span<std::byte> bytes) const;
    Result<void> create_irqchip() const;
    Result<VcpuFd> create_vcpu(unsigned id) const;
    Result<void> set_routes(std::span<const kvm_irq_routing_entry> entries) const;

    // Binds `event` to the global system interrupt `gsi`, or undoes that.
    Result<void> attach_irqfd(unsigned gsi, const Fd& event) const;
    Result<void> detach_irqfd(unsigned gsi, const Fd& event) const;
    // A guest write of any length to `address` adds one to `event`.
    Result<void> attach_ioeventfd(Gpa address, const Fd& event) const;
    Result<void> detach_ioeventfd(Gpa address, const Fd& event) const;

  private:
    Fd fd_;
    std::size_t vcpu_mapping_;
};

// /dev/kvm.
class Kvm {
  public:
    // Takes an open descriptor of /dev/kvm and checks the version (12).
    static Result<Kvm> create(Fd fd);

    int capability(unsigned capability) const;
    Result<VmFd> create_vm() const;
    Result<std::vector<kvm_cpuid_entry2>> supported_cpuid() const;

    // Fails with unavailable, naming all that is missing, where KVM lacks what Sheaf needs.
    Result<void> require_capabilities() const;

  private:
    Kvm(Fd fd, std::size_t vcpu_mapping) : fd_(std::move(fd)), vcpu_mapping_(vcpu_mapping) {}
    Fd fd_;
    std::size_t vcpu_mapping_;
};

// What a machine cannot do without, and its names.
struct Capability {
    unsigned number;
    std::string_view name;
};
std::span<const Capability> required_capabilities();

}  // namespace sheaf::vmm

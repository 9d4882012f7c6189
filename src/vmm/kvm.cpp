#include "vmm/kvm.h"

#include <sys/ioctl.h>
#include <sys/mman.h>

#include <array>
#include <cstring>
#include <string>

#include "base/bytes.h"

namespace sheaf::vmm {

namespace {

// Issues a request; on failure the error names it.
Result<int> request(const Fd& fd, unsigned long code, const char* name, auto argument) {
    const int result = ::ioctl(fd.get(), code, argument);
    if (result < 0) return fail_os(errno, "{}", name);
    return result;
}

Result<void> request_void(const Fd& fd, unsigned long code, const char* name, auto argument) {
    TRY(request(fd, code, name, argument));
    return {};
}

// The request with another size in it. The kernel's declarations that end in an array without a
// length have another size in C++ than in C, and request numbers are made from it.
constexpr unsigned long with_size(unsigned long code, std::size_t size) {
    constexpr auto mask = static_cast<unsigned long>(_IOC_SIZEMASK) << _IOC_SIZESHIFT;
    return (code & ~mask) | size << _IOC_SIZESHIFT;
}

// A count, an unused word, then entries: kvm_cpuid2, kvm_msrs and kvm_irq_routing all look like
// this.
template <class Entry>
class Counted {
  public:
    explicit Counted(std::size_t count) : bytes_(header_size + count * sizeof(Entry)) {
        store(bytes_, static_cast<std::uint32_t>(count));
    }
    explicit Counted(std::span<const Entry> entries) : Counted(entries.size()) {
        std::ranges::copy(std::as_bytes(entries), bytes_.begin() + header_size);
    }
    std::byte* data() { return bytes_.data(); }
    std::vector<Entry> entries() const {
        auto entries = std::vector<Entry>(load<std::uint32_t>(bytes_));
        std::memcpy(entries.data(), bytes_.data() + header_size, entries.size() * sizeof(Entry));
        return entries;
    }
    static constexpr unsigned long request(unsigned long code) {
        return with_size(code, header_size);
    }

  private:
    static constexpr std::size_t header_size = 8;
    std::vector<std::byte> bytes_;
};

using CpuidList = Counted<kvm_cpuid_entry2>;
using MsrList = Counted<kvm_msr_entry>;
using RouteList = Counted<kvm_irq_routing_entry>;

constexpr auto required = std::to_array<Capability>({
    {KVM_CAP_USER_MEMORY, "USER_MEMORY"},
    {KVM_CAP_SET_TSS_ADDR, "SET_TSS_ADDR"},
    {KVM_CAP_EXT_CPUID, "EXT_CPUID"},
    {KVM_CAP_IRQCHIP, "IRQCHIP"},
    {KVM_CAP_IRQFD, "IRQFD"},
    {KVM_CAP_IOEVENTFD, "IOEVENTFD"},
    {KVM_CAP_SIGNAL_MSI, "SIGNAL_MSI"},
    {KVM_CAP_IRQ_ROUTING, "IRQ_ROUTING"},
    {KVM_CAP_MP_STATE, "MP_STATE"},
    {KVM_CAP_VCPU_EVENTS, "VCPU_EVENTS"},
    {KVM_CAP_XSAVE, "XSAVE"},
    {KVM_CAP_XCRS, "XCRS"},
    {KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT"},
    {KVM_CAP_ADJUST_CLOCK, "ADJUST_CLOCK"},
});

}  // namespace

std::span<const Capability> required_capabilities() {
    return required;
}

int VcpuFd::run() const {
    return ::ioctl(fd_.get(), KVM_RUN, 0) < 0 ? errno : 0;
}

kvm_run& VcpuFd::state() const {
    return *reinterpret_cast<kvm_run*>(run_.bytes().data());
}

void VcpuFd::set_immediate_exit(bool on) const {
    __atomic_store_n(&state().immediate_exit, on ? 1 : 0, __ATOMIC_SEQ_CST);
}

Result<void> VcpuFd::set_cpuid(std::span<const kvm_cpuid_entry2> entries) const {
    auto list = CpuidList{entries};
    return request_void(fd_, CpuidList::request(KVM_SET_CPUID2), "KVM_SET_CPUID2", list.data());
}

Result<void> VcpuFd::set_registers(const kvm_regs& registers) const {
    return request_void(fd_, KVM_SET_REGS, "KVM_SET_REGS", &registers);
}

Result<kvm_regs> VcpuFd::registers() const {
    auto registers = kvm_regs{};
    TRY(request(fd_, KVM_GET_REGS, "KVM_GET_REGS", &registers));
    return registers;
}

Result<void> VcpuFd::set_system_registers(const kvm_sregs& registers) const {
    return request_void(fd_, KVM_SET_SREGS, "KVM_SET_SREGS", &registers);
}

Result<kvm_sregs> VcpuFd::system_registers() const {
    auto registers = kvm_sregs{};
    TRY(request(fd_, KVM_GET_SREGS, "KVM_GET_SREGS", &registers));
    return registers;
}

Result<void> VcpuFd::set_fpu(const kvm_fpu& fpu) const {
    return request_void(fd_, KVM_SET_FPU, "KVM_SET_FPU", &fpu);
}

Result<void> VcpuFd::set_extended_state(const ExtendedState& state) const {
    return request_void(fd_, with_size(KVM_SET_XSAVE, sizeof(state)), "KVM_SET_XSAVE",
                        state.data());
}

Result<ExtendedState> VcpuFd::extended_state() const {
    auto state = ExtendedState{};
    TRY(request(fd_, with_size(KVM_GET_XSAVE, sizeof(state)), "KVM_GET_XSAVE", state.data()));
    return state;
}

Result<void> VcpuFd::set_debug_registers(const kvm_debugregs& registers) const {
    return request_void(fd_, KVM_SET_DEBUGREGS, "KVM_SET_DEBUGREGS", &registers);
}

Result<kvm_debugregs> VcpuFd::debug_registers() const {
    auto registers = kvm_debugregs{};
    TRY(request(fd_, KVM_GET_DEBUGREGS, "KVM_GET_DEBUGREGS", &registers));
    return registers;
}

Result<void> VcpuFd::set_guest_debug(const kvm_guest_debug& debug) const {
    return request_void(fd_, KVM_SET_GUEST_DEBUG, "KVM_SET_GUEST_DEBUG", &debug);
}

void VcpuFd::excuse_pause() const {
    // A guest that uses another clock has nothing to be told.
    static_cast<void>(::ioctl(fd_.get(), KVM_KVMCLOCK_CTRL, 0));
}

Result<void> VcpuFd::set_local_apic(const kvm_lapic_state& state) const {
    return request_void(fd_, KVM_SET_LAPIC, "KVM_SET_LAPIC", &state);
}

Result<kvm_lapic_state> VcpuFd::local_apic() const {
    auto state = kvm_lapic_state{};
    TRY(request(fd_, KVM_GET_LAPIC, "KVM_GET_LAPIC", &state));
    return state;
}

std::uint32_t VcpuFd::tsc_khz() const {
    return static_cast<std::uint32_t>(std::max(0, ::ioctl(fd_.get(), KVM_GET_TSC_KHZ, 0)));
}

Result<std::size_t> VcpuFd::set_msrs(std::span<const MsrValue> values) const {
    auto entries = std::vector<kvm_msr_entry>{};
    for (const auto& [index, value] : values)
        entries.push_back({.index = index, .reserved = 0, .data = value});
    auto list = MsrList{entries};
    const int taken =
        TRY(request(fd_, MsrList::request(KVM_SET_MSRS), "KVM_SET_MSRS", list.data()));
    return static_cast<std::size_t>(taken);
}

int VmFd::capability(unsigned capability) const {
    return std::max(0, ::ioctl(fd_.get(), KVM_CHECK_EXTENSION, capability));
}

Result<void> VmFd::enable(unsigned capability, std::uint64_t argument) const {
    auto cap = kvm_enable_cap{};
    cap.cap = capability;
    cap.args[0] = argument;
    return request_void(fd_, KVM_ENABLE_CAP, "KVM_ENABLE_CAP", &cap);
}

Result<void> VmFd::set_tss_address(Gpa address) const {
    return request_void(fd_, KVM_SET_TSS_ADDR, "KVM_SET_TSS_ADDR", address.value());
}

Result<void> VmFd::set_identity_map_address(Gpa address) const {
    auto value = address.value();
    return request_void(fd_, KVM_SET_IDENTITY_MAP_ADDR, "KVM_SET_IDENTITY_MAP_ADDR", &value);
}

Result<void> VmFd::set_memory(unsigned slot, Gpa start, std::span<std::byte> bytes) const {
    auto region = kvm_userspace_memory_region{};
    region.slot = slot;
    region.guest_phys_addr = start.value();
    region.memory_size = bytes.size();
    region.userspace_addr = reinterpret_cast<std::uint64_t>(bytes.data());
    return request_void(fd_, KVM_SET_USER_MEMORY_REGION, "KVM_SET_USER_MEMORY_REGION", &region);
}

Result<void> VmFd::create_irqchip() const {
    return request_void(fd_, KVM_CREATE_IRQCHIP, "KVM_CREATE_IRQCHIP", 0);
}

Result<VcpuFd> VmFd::create_vcpu(unsigned id) const {
    auto fd = Fd{TRY(request(fd_, KVM_CREATE_VCPU, "KVM_CREATE_VCPU", id))};
    auto run = TRY(Mapping::create(vcpu_mapping_, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get()));
    return VcpuFd{std::move(fd), std::move(run)};
}

Result<void> VmFd::set_routes(std::span<const kvm_irq_routing_entry> entries) const {
    auto list = RouteList{entries};
    return request_void(fd_, RouteList::request(KVM_SET_GSI_ROUTING), "KVM_SET_GSI_ROUTING",
                        list.data());
}

namespace {

Result<void> irqfd(const Fd& vm, unsigned gsi, const Fd& event, std::uint32_t flags) {
    auto binding = kvm_irqfd{};
    binding.fd = static_cast<std::uint32_t>(event.get());
    binding.gsi = gsi;
    binding.flags = flags;
    return request_void(vm, KVM_IRQFD, "KVM_IRQFD", &binding);
}

// Length 0 matches a write of any length and takes KVM's fast path (KVM_CAP_IOEVENTFD_ANY_LENGTH).
Result<void> ioeventfd(const Fd& vm, Gpa address, const Fd& event, std::uint32_t flags) {
    auto binding = kvm_ioeventfd{};
    binding.addr = address.value();
    binding.fd = event.get();
    binding.flags = flags;
    return request_void(vm, KVM_IOEVENTFD, "KVM_IOEVENTFD", &binding);
}

}  // namespace

Result<void> VmFd::attach_irqfd(unsigned gsi, const Fd& event) const {
    return irqfd(fd_, gsi, event, 0);
}
Result<void> VmFd::detach_irqfd(unsigned gsi, const Fd& event) const {
    return irqfd(fd_, gsi, event, KVM_IRQFD_FLAG_DEASSIGN);
}
Result<void> VmFd::attach_ioeventfd(Gpa address, const Fd& event) const {
    return ioeventfd(fd_, address, event, 0);
}
Result<void> VmFd::detach_ioeventfd(Gpa address, const Fd& event) const {
    return ioeventfd(fd_, address, event, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

Result<Kvm> Kvm::create(Fd fd) {
    const int version = TRY(request(fd, KVM_GET_API_VERSION, "KVM_GET_API_VERSION", 0));
    if (version != KVM_API_VERSION)
        return fail(Kind::unsupported, "KVM API version {} (needs {})", version, KVM_API_VERSION);
    const int size = TRY(request(fd, KVM_GET_VCPU_MMAP_SIZE, "KVM_GET_VCPU_MMAP_SIZE", 0));
    return Kvm{std::move(fd), static_cast<std::size_t>(size)};
}

int Kvm::capability(unsigned capability) const {
    return std::max(0, ::ioctl(fd_.get(), KVM_CHECK_EXTENSION, capability));
}

Result<VmFd> Kvm::create_vm() const {
    // KVM gives EINTR when a signal arrives while it sets the machine up; asking again is the
    // documented answer.
    while (true) {
        const int number = ::ioctl(fd_.get(), KVM_CREATE_VM, 0);
        if (number >= 0) return VmFd{Fd{number}, vcpu_mapping_};
        if (errno != EINTR) return fail_os(errno, "KVM_CREATE_VM");
    }
}

Result<std::vector<kvm_cpuid_entry2>> Kvm::supported_cpuid() const {
    constexpr std::size_t limit = 4096;
    for (std::size_t room = 128; room <= limit; room *= 2) {
        auto list = CpuidList{room};
        auto got = request(fd_, CpuidList::request(KVM_GET_SUPPORTED_CPUID),
                           "KVM_GET_SUPPORTED_CPUID", list.data());
        if (!got && got.error().os_error() == E2BIG) continue;
        TRY(std::move(got));
        return list.entries();
    }
    return fail(Kind::exhausted, "KVM_GET_SUPPORTED_CPUID gives more than {} entries", limit);
}

Result<void> Kvm::require_capabilities() const {
    auto missing = std::string{};
    for (const auto& [number, name] : required)
        if (capability(number) == 0) missing.append(" ").append(name);
    if (missing.empty()) return {};
    return fail(Kind::unavailable, "this host's KVM lacks{}", missing);
}

}  // namespace sheaf::vmm

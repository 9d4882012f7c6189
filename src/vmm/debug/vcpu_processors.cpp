#include "vmm/debug/vcpu_processors.h"

#include <algorithm>

namespace sheaf::vmm::debug {

namespace {

constexpr unsigned vector_debug = 1;
// What a trap adds to DR6: B0 to B3, BD, BS, BT (Intel SDM 3B, 18.2.3).
constexpr std::uint64_t dr6_causes = 0xe00f;

}  // namespace

Result<std::unique_ptr<VcpuProcessors>> VcpuProcessors::create(
    const VmFd& vm, std::span<const std::unique_ptr<Vcpu>> vcpus, const GuestMemory& memory,
    io::Loop& loop, const Logger& log) {
    if (vm.capability(KVM_CAP_SET_GUEST_DEBUG) == 0)
        return fail(Kind::unavailable, "this host's KVM lacks SET_GUEST_DEBUG, which --gdb needs");
    const auto flags = static_cast<std::uint32_t>(vm.capability(KVM_CAP_SET_GUEST_DEBUG2));
    auto processors = std::unique_ptr<VcpuProcessors>{
        new VcpuProcessors{vcpus, memory, loop, log, flags & KVM_GUESTDBG_BLOCKIRQ}};
    for (const auto& vcpu : vcpus) vcpu->set_trap_sink(*processors);
    return processors;
}

VcpuProcessors::VcpuProcessors(std::span<const std::unique_ptr<Vcpu>> vcpus,
                               const GuestMemory& memory, io::Loop& loop, const Logger& log,
                               std::uint32_t masked_interrupts)
    : loop_(loop),
      log_(log),
      masked_interrupts_(masked_interrupts),
      debuggee_(memory, vcpus.size()) {
    for (const auto& vcpu : vcpus) cpus_.emplace_back().vcpu = vcpu.get();
}

io::Task<void> VcpuProcessors::halt() {
    if (at_rest()) co_return;
    halting_ = true;
    halted_.clear();
    for (std::size_t cpu = 0; cpu < cpus_.size(); ++cpu) {
        auto& one = cpus_[cpu];
        if (!one.in_guest) continue;
        one.asked = true;
        one.vcpu->hold([this, cpu](const VcpuFd& fd) { fetched(cpu, fd); });
    }
    co_await halted_.wait();
}

void VcpuProcessors::fetched(std::size_t cpu, const VcpuFd& fd) {
    loop_.post([this, cpu, registers = fetch(fd)] { has_halted(cpu, registers); });
}

void VcpuProcessors::trapped(unsigned id, const VcpuFd& fd, const kvm_debug_exit_arch& trap) {
    loop_.post([this, id, trap, registers = fetch(fd)] { has_trapped(id, trap, registers); });
}

Result<RegisterFile> VcpuProcessors::fetch(const VcpuFd& fd) {
    auto file = RegisterFile{};
    file.general = TRY(fd.registers());
    file.system = TRY(fd.system_registers());
    file.extended = TRY(fd.extended_state());
    return file;
}

void VcpuProcessors::has_halted(std::size_t cpu, const Result<RegisterFile>& registers) {
    auto& one = cpus_.at(cpu);
    one.asked = false;
    // One that was trapped on its way out has told its registers already.
    if (one.in_guest) {
        if (!registers) log_.warning(registers.error().text(), {{"vcpu", std::to_string(cpu)}});
        debuggee_.registers.at(cpu) = registers.value_or(RegisterFile{});
        one.in_guest = false;
    }
    if (!halting_ || !at_rest()) return;
    halting_ = false;
    halted_.set();
}

void VcpuProcessors::has_trapped(std::size_t cpu, const kvm_debug_exit_arch& trap,
                                 const Result<RegisterFile>& registers) {
    auto& one = cpus_.at(cpu);
    if (!registers) log_.warning(registers.error().text(), {{"vcpu", std::to_string(cpu)}});
    debuggee_.registers.at(cpu) = registers.value_or(RegisterFile{});
    one.in_guest = false;
    const auto place = debuggee_.place_of(cpu, trap.pc);
    const auto stepping = one.go == Go::step ? Stepping::on : Stepping::off;
    const auto cause = debuggee_.breakpoints.cause_of(
        trap, place ? std::optional{*place} : std::nullopt, stepping);
    if (cause.kind == Cause::Kind::guest) {
        one.own = trap;
        // While the others are being halted it stays as well, and gets it when it goes on.
        if (!halting_) release(cpu, one.go);
        return;
    }
    stops_.push_back({cpu, cause});
    if (news_) news_->set();
}

std::optional<Stop> VcpuProcessors::next_stop() {
    if (stops_.empty()) return std::nullopt;
    const auto stop = stops_.front();
    stops_.pop_front();
    return stop;
}

// Breakpoints stop before their instruction, so they are met again; a watched access is over.
bool VcpuProcessors::stands(const Stop& stop) const {
    const bool access =
        stop.cause.kind == Cause::Kind::write || stop.cause.kind == Cause::Kind::access;
    return access && debuggee_.breakpoints.watches(stop.cause.address);
}

void VcpuProcessors::resume(std::span<const Go> go) {
    std::erase_if(stops_, [this](const Stop& stop) { return !stands(stop); });
    if (!stops_.empty()) {
        if (news_) news_->set();
        return;
    }
    for (std::size_t cpu = 0; cpu < cpus_.size(); ++cpu)
        if (go[cpu] != Go::stay && !cpus_[cpu].in_guest) release(cpu, go[cpu]);
}

void VcpuProcessors::release(std::size_t cpu, Go go) {
    auto& one = cpus_.at(cpu);
    one.go = go;
    one.in_guest = true;
    auto orders = Orders{};
    orders.registers = debuggee_.registers.at(cpu);
    const auto stepping = go == Go::step ? Stepping::on : Stepping::off;
    orders.debug = debuggee_.breakpoints.control(stepping);
    if (stepping == Stepping::on) orders.debug.control |= masked_interrupts_;
    if (one.own) {
        const bool debug = one.own->exception == vector_debug;
        orders.debug.control |= debug ? KVM_GUESTDBG_INJECT_DB : KVM_GUESTDBG_INJECT_BP;
        if (debug) orders.trap_flags = one.own->dr6 & dr6_causes;
    }
    one.own.reset();
    one.vcpu->release([this, cpu, orders](const VcpuFd& fd) {
        const auto done = carry_out(fd, orders);
        if (!done) log_.warning(done.error().text(), {{"vcpu", std::to_string(cpu)}});
    });
}

Result<void> VcpuProcessors::carry_out(const VcpuFd& fd, const Orders& orders) {
    const auto& registers = orders.registers;
    if (registers.general_changed) TRY(fd.set_registers(registers.general));
    if (registers.system_changed) TRY(fd.set_system_registers(registers.system));
    if (registers.extended_changed) TRY(fd.set_extended_state(registers.extended));
    if (orders.trap_flags) {
        auto debug = TRY(fd.debug_registers());
        debug.dr6 |= *orders.trap_flags;
        TRY(fd.set_debug_registers(debug));
    }
    TRY(fd.set_guest_debug(orders.debug));
    fd.excuse_pause();
    return {};
}

bool VcpuProcessors::at_rest() const {
    return std::ranges::none_of(cpus_, [](const Cpu& one) { return one.in_guest || one.asked; });
}

}  // namespace sheaf::vmm::debug

#pragma once

// Why: the processors of a virtual machine under a debugger. Registers and traps belong to the
// vCPUs' threads, everything a debugger decides to the loop's: they meet by work that a held vCPU
// does and by what it posts to the loop.

#include <deque>

#include "base/log.h"
#include "io/loop.h"
#include "vmm/debug/processors.h"
#include "vmm/vcpu.h"

namespace sheaf::vmm::debug {

class VcpuProcessors final : public Processors, TrapSink {
  public:
    // The vCPUs have not been started; they, and all other references, outlive it, and they have
    // been joined before it is destroyed. Fails with unavailable where this host's KVM lets nobody
    // debug.
    static Result<std::unique_ptr<VcpuProcessors>> create(
        const VmFd& vm, std::span<const std::unique_ptr<Vcpu>> vcpus, const GuestMemory& memory,
        io::Loop& loop, const Logger& log);

    Debuggee& debuggee() override { return debuggee_; }
    io::Task<void> halt() override;
    void resume(std::span<const Go> go) override;
    std::optional<Stop> next_stop() override;
    void tell(io::Event* news) override { news_ = news; }

  private:
    VcpuProcessors(std::span<const std::unique_ptr<Vcpu>> vcpus, const GuestMemory& memory,
                   io::Loop& loop, const Logger& log, std::uint32_t masked_interrupts);

    // What one processor is given before it enters the guest again.
    struct Orders {
        RegisterFile registers;
        kvm_guest_debug debug{};
        std::optional<std::uint64_t> trap_flags;  // of a trap that is the guest's, for its DR6
    };
    struct Cpu {
        Vcpu* vcpu = nullptr;
        bool in_guest = true;                    // as far as the loop knows
        bool asked = false;                      // to halt, and has not answered
        Go go = Go::run;                         // what it last set out to do
        std::optional<kvm_debug_exit_arch> own;  // an exception that the guest is to have
    };

    // vCPU threads.
    void trapped(unsigned id, const VcpuFd& fd, const kvm_debug_exit_arch& trap) override;
    void fetched(std::size_t cpu, const VcpuFd& fd);
    static Result<RegisterFile> fetch(const VcpuFd& fd);
    static Result<void> carry_out(const VcpuFd& fd, const Orders& orders);

    // Loop thread.
    void has_trapped(std::size_t cpu, const kvm_debug_exit_arch& trap,
                     const Result<RegisterFile>& registers);
    void has_halted(std::size_t cpu, const Result<RegisterFile>& registers);
    void release(std::size_t cpu, Go go);
    bool at_rest() const;
    // Whether the stop would be lost: what it was for has happened, and is still asked for.
    bool stands(const Stop& stop) const;

    io::Loop& loop_;
    const Logger& log_;
    const std::uint32_t masked_interrupts_;  // KVM_GUESTDBG_BLOCKIRQ where there is such a thing
    Debuggee debuggee_;
    std::vector<Cpu> cpus_;
    std::deque<Stop> stops_;
    io::Event* news_ = nullptr;
    io::Event halted_;
    bool halting_ = false;
};

}  // namespace sheaf::vmm::debug

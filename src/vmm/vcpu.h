#pragma once

// Why: a virtual CPU is a thread that enters the guest, and on every exit touches nothing but the
// two buses. Stopping it, or holding it out of the guest for somebody's work, is a request that it
// honours before it enters the guest again.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "vmm/bus.h"
#include "vmm/ending.h"
#include "vmm/kvm.h"

namespace sheaf::vmm {

struct Buses {
    const Bus& ports;
    const Bus& memory;
};

// Hears of a breakpoint or a step, on the thread of the vCPU, which is then held.
class TrapSink {
  public:
    virtual void trapped(unsigned id, const VcpuFd& fd, const kvm_debug_exit_arch& trap) = 0;

  protected:
    ~TrapSink() = default;
};

class Vcpu {
  public:
    // What the thread does for somebody else outside of the guest, when the instruction that left
    // it is complete.
    using Work = std::move_only_function<void(const VcpuFd&)>;

    // All references outlive the vCPU. Prepare `fd` (CPUID, registers) before start().
    Vcpu(unsigned id, VcpuFd fd, Buses buses, EndingSink& sink)
        : id_(id), fd_(std::move(fd)), buses_(buses), sink_(sink) {}
    ~Vcpu() { join(); }

    const VcpuFd& fd() const { return fd_; }

    // Who hears of traps; before start(). The sink outlives the vCPU.
    void set_trap_sink(TrapSink& traps) { traps_ = &traps; }

    // Makes the thread; it enters the guest once `gate` opens, which is when all vCPUs of the
    // machine have a thread that can be stopped. The gate outlives the vCPU.
    void start(std::latch& gate);
    // Makes the thread leave the guest and end. Any thread, also a vCPU's own; returns at once.
    void request_stop();
    // The thread leaves the guest, or does not enter it, does `work` and waits. Any thread; returns
    // at once. The work of a vCPU that has ended is not done.
    void hold(Work work);
    // The thread does `work` and goes on into the guest. Any thread; returns at once.
    void release(Work work);
    // Waits for the thread after request_stop(). Not for vCPU threads.
    void join();

  private:
    void run(std::latch& gate);
    void call_out(std::unique_lock<std::mutex> lock);
    // Does what was asked for, until the guest may be entered.
    void attend();
    // Serves the exit in fd_.state(); false when the guest must not be entered again.
    bool serve_exit();
    void serve_trap();
    void serve_port(const kvm_run& state) const;
    void serve_memory(kvm_run& state) const;

    const unsigned id_;
    VcpuFd fd_;
    const Buses buses_;
    EndingSink& sink_;
    TrapSink* traps_ = nullptr;
    std::atomic<bool> stopping_ = false;
    std::mutex mutex_;
    std::condition_variable asked_;
    std::vector<Work> work_;  // under mutex_, as is held_
    bool held_ = false;
    std::jthread thread_;
};

// Makes the signal that kicks vCPU threads out of the guest harmless; once per process, before any
// vCPU starts.
Result<void> install_kick_signal();

}  // namespace sheaf::vmm

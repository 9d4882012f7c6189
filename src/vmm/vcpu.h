#pragma once

// Why: a virtual CPU is a thread that enters the guest, and on every exit touches nothing but the
// two buses. Stopping it is a request that it honours before it enters the guest again.

#include <atomic>
#include <latch>
#include <memory>
#include <thread>

#include "vmm/bus.h"
#include "vmm/ending.h"
#include "vmm/kvm.h"

namespace sheaf::vmm {

struct Buses {
    const Bus& ports;
    const Bus& memory;
};

class Vcpu {
  public:
    // All references outlive the vCPU. Prepare `fd` (CPUID, registers) before start().
    Vcpu(unsigned id, VcpuFd fd, Buses buses, EndingSink& sink)
        : id_(id), fd_(std::move(fd)), buses_(buses), sink_(sink) {}
    ~Vcpu() { join(); }

    const VcpuFd& fd() const { return fd_; }

    // Makes the thread; it enters the guest once `gate` opens, which is when all vCPUs of the
    // machine have a thread that can be stopped. The gate outlives the vCPU.
    void start(std::latch& gate);
    // Makes the thread leave the guest and end. Any thread, also a vCPU's own; returns at once.
    void request_stop();
    // Waits for the thread after request_stop(). Not for vCPU threads.
    void join();

  private:
    void run(std::latch& gate);
    // Serves the exit in fd_.state(); false when the guest must not be entered again.
    bool serve_exit();
    void serve_port(const kvm_run& state) const;
    void serve_memory(kvm_run& state) const;

    const unsigned id_;
    VcpuFd fd_;
    const Buses buses_;
    EndingSink& sink_;
    std::atomic<bool> stopping_ = false;
    std::jthread thread_;
};

// Makes the signal that kicks vCPU threads out of the guest harmless; once per process, before any
// vCPU starts.
Result<void> install_kick_signal();

}  // namespace sheaf::vmm

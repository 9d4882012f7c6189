#include "vmm/vcpu.h"

#include <pthread.h>
#include <signal.h>

#include <cstring>

namespace sheaf::vmm {

namespace {

int kick_signal() {
    return SIGRTMIN;
}

std::string describe(const kvm_run& state) {
    switch (state.exit_reason) {
        case KVM_EXIT_FAIL_ENTRY:
            return fmt::format("KVM cannot enter the guest: hardware reason {:#x}",
                               state.fail_entry.hardware_entry_failure_reason);
        case KVM_EXIT_INTERNAL_ERROR:
            return fmt::format("KVM internal error {}", state.internal.suberror);
        default: return fmt::format("KVM exit {} is not known", state.exit_reason);
    }
}

}  // namespace

Result<void> install_kick_signal() {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    TRY(checked(::sigaction(kick_signal(), &action, nullptr), "installing the kick signal"));
    return {};
}

void Vcpu::start(std::latch& gate) {
    thread_ = std::jthread{[this, &gate] { run(gate); }};
}

void Vcpu::request_stop() {
    stopping_ = true;
    fd_.set_immediate_exit(true);
    // With immediate_exit set, one signal is enough: it ends a KVM_RUN in progress, and a later one
    // returns at once.
    if (thread_.joinable()) ::pthread_kill(thread_.native_handle(), kick_signal());
}

void Vcpu::join() {
    if (thread_.joinable()) thread_.join();
}

void Vcpu::run(std::latch& gate) {
    gate.wait();
    ::pthread_setname_np(::pthread_self(), fmt::format("vcpu{}", id_).c_str());
    while (!stopping_) {
        const int error = fd_.run();
        if (error == EINTR || error == EAGAIN) continue;
        if (error != 0) {
            sink_.ended({Ending::How::failed, Error::from_os(error, "KVM_RUN").text()});
            return;
        }
        if (!serve_exit()) return;
    }
}

bool Vcpu::serve_exit() {
    auto& state = fd_.state();
    switch (state.exit_reason) {
        case KVM_EXIT_IO: serve_port(state); return true;
        case KVM_EXIT_MMIO: serve_memory(state); return true;
        case KVM_EXIT_IOAPIC_EOI:  // only level lines need it, and there are none
        case KVM_EXIT_INTR: return true;
        case KVM_EXIT_HLT:  // only without an in-kernel local APIC
        case KVM_EXIT_SHUTDOWN:
            sink_.ended({Ending::How::triple_faulted, fmt::format("vCPU {} shut down", id_)});
            return false;
        default: sink_.ended({Ending::How::failed, describe(state)}); return false;
    }
}

void Vcpu::serve_port(const kvm_run& state) const {
    const auto& io = state.io;
    auto* first = reinterpret_cast<std::byte*>(&fd_.state()) + io.data_offset;
    for (std::uint32_t i = 0; i < io.count; ++i) {
        const auto data = std::span{first + std::size_t{i} * io.size, io.size};
        if (io.direction == KVM_EXIT_IO_OUT) {
            buses_.ports.write(io.port, data);
        } else {
            buses_.ports.read(io.port, data);
        }
    }
}

void Vcpu::serve_memory(kvm_run& state) const {
    auto& access = state.mmio;
    const auto data =
        std::as_writable_bytes(std::span{access.data}).first(std::min<std::size_t>(access.len, 8));
    if (access.is_write) {
        buses_.memory.write(access.phys_addr, data);
    } else {
        buses_.memory.read(access.phys_addr, data);
    }
}

}  // namespace sheaf::vmm

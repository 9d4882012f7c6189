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
    auto lock = std::unique_lock{mutex_};
    stopping_ = true;
    call_out(std::move(lock));
}

void Vcpu::hold(Work work) {
    auto lock = std::unique_lock{mutex_};
    held_ = true;
    work_.push_back(std::move(work));
    call_out(std::move(lock));
}

void Vcpu::release(Work work) {
    auto lock = std::unique_lock{mutex_};
    held_ = false;
    work_.push_back(std::move(work));
    call_out(std::move(lock));
}

void Vcpu::call_out(std::unique_lock<std::mutex> lock) {
    fd_.set_immediate_exit(true);
    lock.unlock();
    asked_.notify_one();
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
        if (error == EINTR || error == EAGAIN) {
            // KVM has finished the instruction that left the guest before it looked for the wish.
            attend();
            continue;
        }
        if (error != 0) {
            sink_.ended({Ending::How::failed, Error::from_os(error, "KVM_RUN").text()});
            return;
        }
        if (!serve_exit()) return;
    }
}

void Vcpu::attend() {
    auto lock = std::unique_lock{mutex_};
    while (true) {
        asked_.wait(lock, [this] { return !held_ || !work_.empty() || stopping_; });
        if (stopping_) return;
        if (work_.empty()) break;
        auto work = std::exchange(work_, {});
        lock.unlock();
        for (auto& one : work) one(fd_);
        lock.lock();
    }
    fd_.set_immediate_exit(false);
}

bool Vcpu::serve_exit() {
    auto& state = fd_.state();
    switch (state.exit_reason) {
        case KVM_EXIT_IO: serve_port(state); return true;
        case KVM_EXIT_MMIO: serve_memory(state); return true;
        case KVM_EXIT_IOAPIC_EOI:  // only level lines need it, and there are none
        case KVM_EXIT_INTR: return true;
        case KVM_EXIT_DEBUG: serve_trap(); return true;
        case KVM_EXIT_HLT:  // only without an in-kernel local APIC
        case KVM_EXIT_SHUTDOWN:
            sink_.ended({Ending::How::triple_faulted, fmt::format("vCPU {} shut down", id_)});
            return false;
        default: sink_.ended({Ending::How::failed, describe(state)}); return false;
    }
}

void Vcpu::serve_trap() {
    // KVM gives traps only to those that asked for them.
    if (!traps_) return;
    {
        const auto lock = std::lock_guard{mutex_};
        held_ = true;
        fd_.set_immediate_exit(true);
    }
    traps_->trapped(id_, fd_, fd_.state().debug.arch);
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

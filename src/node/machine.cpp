#include "node/machine.h"

namespace sheaf::node {

namespace {

// How long the reader of the console may take for what the guest printed last.
constexpr auto console_patience = std::chrono::seconds{1};

}  // namespace

void Machine::start() {
    console_tasks_.start(console_->run());
    if (debugger_) debugger_tasks_.start(debugger_->run(beginning_));
    for (const auto& vcpu : vcpus_) vcpu->start(gate_);
    gate_.count_down();
}

Result<void> Machine::pause(std::move_only_function<void()> paused) {
    if (debugger_)
        return fail(Kind::unsupported, "the machine is not paused: a debugger has its processors");
    pause_ = {pause_.number + 1, vcpus_.size(), std::move(paused)};
    for (const auto& vcpu : vcpus_)
        vcpu->hold([this, number = pause_.number](const vmm::VcpuFd&) {
            loop_.post([this, number] { vcpu_held(number); });
        });
    return {};
}

void Machine::vcpu_held(std::uint64_t pause) {
    if (pause != pause_.number || --pause_.missing > 0) return;
    if (auto paused = std::exchange(pause_.paused, {})) paused();
}

void Machine::resume() {
    if (debugger_) return;
    pause_ = {pause_.number + 1, vcpus_.size(), {}};
    for (const auto& vcpu : vcpus_) vcpu->release([](const vmm::VcpuFd& fd) { fd.excuse_pause(); });
}

void Machine::refresh_disks() {
    for (const auto& disk : disks_) {
        if (!disk.file) continue;
        const auto changed = disk.file->refresh();
        if (!changed)
            log_.warning("a disk's size cannot be read", {{"reason", changed.error().text()}});
        if (changed && *changed) disk.device->resized();
    }
}

std::optional<BalloonReport> Machine::balloon_report() const {
    if (!balloon_) return std::nullopt;
    return report_of(*balloon_);
}

void Machine::request_stop() {
    for (const auto& vcpu : vcpus_) vcpu->request_stop();
}

// One that cannot be closed is recovered when it is opened again: what was flushed is there.
io::Task<void> Machine::close_volumes() {
    for (const auto& disk : disks_) {
        if (!disk.volume) continue;
        const auto closed = co_await disk.volume->shut_down().result();
        if (!closed)
            log_.warning("a volume was not closed cleanly", {{"reason", closed.error().text()}});
    }
}

io::Task<void> Machine::drain() {
    for (const auto& vcpu : vcpus_) vcpu->join();
    if (debugger_) debugger_->machine_ended();
    debugger_tasks_.cancel();
    static_cast<void>(co_await debugger_tasks_.join().result());
    for (auto* transport : transports_) static_cast<void>(co_await transport->shutdown().result());
    co_await close_volumes();
    console_tasks_.cancel();
    static_cast<void>(co_await console_tasks_.join().result());
    static_cast<void>(co_await console_->drain(console_patience).result());
}

}  // namespace sheaf::node

#include "io/worker_pool.h"

#include <unistd.h>

#include <cstdint>
#include <system_error>

#include "io/direct_call.h"

namespace sheaf::io {

WorkerPool::~WorkerPool() {
    // All at once, so that joining the first does not wait for the idle others one by one.
    for (auto& thread : threads_) thread.request_stop();
}

void WorkerPool::submit(Operation& operation) {
    const std::lock_guard lock{mutex_};
    operation.notes.taken = false;
    queued_.push_back(operation);
    if (idle_ < queued_.size() && threads_.size() < limit_ && !add_thread() && threads_.empty()) {
        // Not one thread to be had: slow is better than never.
        queued_.remove(operation);
        return note_done(operation, call_and_wait(operation.request));
    }
    arrived_.notify_one();
}

bool WorkerPool::add_thread() {
    try {
        threads_.emplace_back([this](const std::stop_token& stopping) { work(stopping); });
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

bool WorkerPool::withdraw(Operation& operation) {
    const std::lock_guard lock{mutex_};
    if (operation.notes.taken) return false;
    queued_.remove(operation);
    return true;
}

OperationList WorkerPool::take_done() {
    const std::lock_guard lock{mutex_};
    return std::move(done_);
}

void WorkerPool::work(const std::stop_token& stopping) {
    auto lock = std::unique_lock{mutex_};
    while (true) {
        ++idle_;
        arrived_.wait(lock, stopping, [this] { return !queued_.empty(); });
        --idle_;
        if (stopping.stop_requested()) return;
        auto& operation = queued_.pop_front();
        operation.notes.taken = true;
        lock.unlock();
        const auto result = call_and_wait(operation.request);
        lock.lock();
        note_done(operation, result);
    }
}

void WorkerPool::note_done(Operation& operation, int result) {
    operation.notes.taken = true;
    operation.notes.result = result;
    const auto first = done_.empty();
    done_.push_back(operation);
    if (!first) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wakeup_, &one, sizeof(one));
}

}  // namespace sheaf::io

#include "io/pool_loop.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "io/direct_call.h"

namespace sheaf::io {

using State = Operation::LoopNotes::State;

namespace {

// A file is always ready for poll, and may have to wait for its device all the same.
bool always_ready(const Request& request) {
    struct stat about{};
    return ::fstat(request.fd, &about) == 0 && (S_ISREG(about.st_mode) || S_ISBLK(about.st_mode));
}

}  // namespace

Result<std::unique_ptr<PoolLoop>> PoolLoop::create(std::size_t thread_limit) {
    auto wakeup = TRY(Mailbox::make_wakeup());
    return std::make_unique<PoolLoop>(std::move(wakeup), thread_limit);
}

PoolLoop::PoolLoop(Fd wakeup, std::size_t thread_limit)
    : mailbox_(std::move(wakeup)), workers_(thread_limit, mailbox_.wakeup()) {}

void PoolLoop::start(Operation& operation) {
    const auto& request = operation.request;
    operation.notes.cancel_asked = false;
    if (request.code == Request::Code::sleep) {
        operation.notes.state = State::sleeping;
        return timers_.add(operation);
    }
    if (request.code == Request::Code::connect) return start_connect(operation);
    if (waits_for_readiness(request)) {
        operation.notes.state = State::polling;
        return waiting_.push_back(operation);
    }
    if (request.code == Request::Code::send || request.code == Request::Code::recv)
        return end(operation, call_without_waiting(request));
    if (request.pace == Pace::at_once) return end(operation, call_and_wait(request));
    hand_to_worker(operation);
}

void PoolLoop::hand_to_worker(Operation& operation) {
    operation.notes.state = State::queued;
    workers_.submit(operation);
}

void PoolLoop::start_connect(Operation& operation) {
    const auto result = call_without_waiting(operation.request);
    if (result == -EINPROGRESS) {
        operation.notes.state = State::polling;
        return waiting_.push_back(operation);
    }
    // A local socket whose peer has no room now: there is no readiness to wait for.
    if (result == -EAGAIN) return hand_to_worker(operation);
    end(operation, result);
}

void PoolLoop::cancel(Operation& operation) {
    if (std::exchange(operation.notes.cancel_asked, true)) return;
    switch (operation.notes.state) {
        case State::sleeping: timers_.remove(operation); break;
        case State::polling: waiting_.remove(operation); break;
        case State::queued:
            if (!workers_.withdraw(operation)) return;
            break;
        default: return;
    }
    end(operation, -ECANCELED);
}

void PoolLoop::end(Operation& operation, int result) {
    operation.notes.result = result;
    operation.notes.state = State::done;
    ended_.push_back(operation);
}

void PoolLoop::run() {
    mailbox_.bind_to_this_thread();
    do {
        turn();
    } while (!mailbox_.take_stop());
}

void PoolLoop::turn() {
    wait();
    take_ready();
    complete_ended();
    mailbox_.run_work();
    hooks_.run();
}

void PoolLoop::wait() {
    descriptors_.clear();
    descriptors_.push_back({.fd = mailbox_.wakeup(), .events = POLLIN, .revents = 0});
    for (auto* operation = waiting_.first(); operation; operation = OperationList::next(*operation))
        descriptors_.push_back({.fd = operation->request.fd,
                                .events = static_cast<short>(readiness_events(operation->request)),
                                .revents = 0});
    auto timeout = std::timespec{};
    auto* limit = &timeout;
    if (ended_.empty() && hooks_.empty() && !mailbox_.pending() && !sources_.arm()) {
        const auto earliest = timers_.earliest();
        if (earliest) {
            const auto left = std::max(*earliest - now(), Duration::zero());
            const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
            timeout = {.tv_sec = seconds.count(),
                       .tv_nsec = std::chrono::nanoseconds{left - seconds}.count()};
        } else {
            limit = nullptr;
        }
    }
    // Interrupted by a signal: nothing is ready, and the turn goes on.
    if (::ppoll(descriptors_.data(), descriptors_.size(), limit, nullptr) < 0)
        for (auto& descriptor : descriptors_) descriptor.revents = 0;
}

// Moves everything that is over to ended_. Nobody is resumed here, so the lists stay as they are.
void PoolLoop::take_ready() {
    if (descriptors_.front().revents) {
        auto count = std::uint64_t{};
        [[maybe_unused]] const auto taken = ::read(mailbox_.wakeup(), &count, sizeof(count));
    }
    auto* next = waiting_.first();
    for (auto index = std::size_t{1}; index < descriptors_.size(); ++index) {
        auto& operation = *next;
        next = OperationList::next(operation);
        if (!descriptors_[index].revents) continue;
        const auto& request = operation.request;
        const auto result = request.code == Request::Code::connect ? outcome_of_connect(request.fd)
                                                                   : call_without_waiting(request);
        if (result == -EAGAIN && !always_ready(request)) continue;
        waiting_.remove(operation);
        if (result == -EAGAIN) {
            hand_to_worker(operation);
        } else {
            end(operation, result);
        }
    }
    while (auto* sleeper = timers_.take_due(now())) end(*sleeper, 0);
    for (auto done = workers_.take_done(); !done.empty();) {
        auto& operation = done.pop_front();
        end(operation, operation.notes.result);
    }
}

void PoolLoop::complete_ended() {
    for (auto count = ended_.size(); count > 0; --count) {
        auto& operation = ended_.pop_front();
        operation.notes.state = State::idle;
        operation.complete(operation.notes.result);
    }
}

}  // namespace sheaf::io

#pragma once

// Why: some tasks hold up whoever runs on the same loop: between their waits they make calls that
// block for as long as a disk takes. They are run apart, on a loop and a thread of their own, which
// end with them; one that is idle costs nothing.

#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "io/loop.h"
#include "io/task_group.h"

namespace sheaf::io {

namespace detail {

// Waits for `work` to end in its thread. Cancelled it asks the loop there to stop, which cancels
// the task, and waits on.
class [[nodiscard]] Apart final : Cancellable {
  public:
    using Work = std::move_only_function<void(Loop&)>;

    Apart(Loop& loop, Work work) : loop_(loop), work_(std::move(work)) {}
    ~Apart() = default;

    bool await_ready() const { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> caller) {
        caller_.remember(caller);
        return begin();
    }
    // Fails where there was no thread or no loop for it.
    Result<void> await_resume() { return std::move(outcome_); }

  private:
    bool begin();
    void run();
    void end();
    void cancel() override;

    Loop& loop_;
    Work work_;
    Suspended caller_;
    Result<void> outcome_;
    std::mutex mutex_;
    Loop* own_ = nullptr;  // under mutex_, as is asked_
    bool asked_ = false;   // to end early
    std::jthread thread_;
};

}  // namespace detail

// What the task that `work` makes gives. It is made and run in another thread: what it looks at
// belongs to it, or to nobody's loop. Ends when it has ended, also where it is cancelled. The loop
// outlives it.
template <class T>
Task<T> run_apart(Loop& loop, std::move_only_function<Task<T>(Loop&)> work) {
    std::optional<Result<T>> outcome;
    detail::Apart::Work run_there = [&](Loop& own) { outcome.emplace(run(own, work(own))); };
    detail::Apart apart{loop, std::move(run_there)};
    auto ran = co_await apart;
    co_await std::move(ran);
    co_return co_await *std::move(outcome);
}

}  // namespace sheaf::io

#pragma once

// Why: nothing runs detached. A TaskGroup owns the coroutines started in it, can cancel them
// all, and is joined before it is destroyed. Its semantics are in io/README.md.

#include <cstddef>
#include <list>
#include <optional>
#include <type_traits>
#include <utility>

#include "io/task.h"

namespace sheaf::io {

class Loop;

class TaskGroup final : Cancellable {
  public:
    TaskGroup() = default;
    ~TaskGroup();  // must be empty: aborts otherwise, for the kernel may still write into a frame

    // Runs the task until it first waits, and keeps it until it ends. Loop thread only.
    void start(Task<void> task);
    // Asks everything in the group, and everything started later, to end. Idempotent. What ends at
    // once has ended when this returns; a joiner is resumed, if all did, as the last step.
    void cancel() override;
    std::size_t size() const { return roots_.size(); }
    bool empty() const { return roots_.empty(); }
    bool cancelled() const { return scope_.cancelled(); }

    // co_await group.join(): waits until the group is empty, then gives the first error of a task
    // (cancellation is not an error once cancel() was called). Cancelling the joining task cancels
    // the group and still waits for it to be empty; where that cut a task short, the join ends with
    // cancelled too, since what the task was to do was not done. One join at a time, never by a
    // task of the group.
    auto join() { return Join<OnError::end_caller>{*this}; }

  private:
    struct Root final : Waiter {
        Root(TaskGroup& owner, Task<void> work) : group(owner), task(std::move(work)) {}
        void child_finished() override { group.ended(*this); }
        TaskGroup& group;
        Task<void> task;
        std::list<Root>::iterator position;
    };

    template <OnError on_error>
    struct [[nodiscard]] Join {
        TaskGroup& group;
        auto result() && { return Join<OnError::look>{group}; }
        bool await_ready() const { return false; }
        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> caller) {
            group.joiner_.remember(caller);
            group.joiner_looks_ = on_error == OnError::look;
            return group.begin_join();
        }
        auto await_resume() {
            if constexpr (on_error == OnError::look) return group.take_outcome();
        }
    };

    bool begin_join();  // false: nothing to wait for and no error to end the joiner with
    void end_join();
    void ended(Root& root);
    // Brackets work that may end tasks; the outermost leave() resumes the joiner of a group that
    // became empty, which may destroy the group, so nothing follows it.
    void enter() { ++busy_; }
    void leave();
    void settle_outcome();
    Result<void> take_outcome();

    std::list<Root> roots_;
    Scope scope_;
    std::optional<Error> first_error_;
    Suspended joiner_;
    int busy_ = 0;
    bool cut_short_ = false;  // a task ended because the group was cancelled
    bool joining_ = false;
    bool joiner_looks_ = false;
};

// Runs `task` on `loop` from outside any coroutine, turning the loop until it ends; for main
// programs and tests. Loop::stop() meanwhile cancels the task, and it still runs to its end.
Result<void> run(Loop& loop, Task<void> task);

template <class T>
Task<void> keep_value(Task<T> task, std::optional<T>& into) {
    into = co_await std::move(task);
}

// The same, and what the task gives.
template <class T>
    requires(!std::is_void_v<T>)
Result<T> run(Loop& loop, Task<T> task) {
    std::optional<T> value;
    TRY(run(loop, keep_value(std::move(task), value)));
    return *std::move(value);
}

}  // namespace sheaf::io

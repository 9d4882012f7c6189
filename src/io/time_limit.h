#pragma once

// Why: a peer that says nothing must not be waited for without end. Whatever waits can be given a
// time, after which it is cancelled and has failed.

#include <optional>

#include "io/loop.h"
#include "io/task.h"
#include "io/task_group.h"

namespace sheaf::io {

namespace detail {

template <class T>
Task<void> keep_outcome(Task<T> task, std::optional<Result<T>>& into, TaskGroup& clock) {
    into.emplace(co_await std::move(task).result());
    clock.cancel();
}

inline Task<void> ring(Loop& loop, Duration limit, TaskGroup& work, bool& rang) {
    co_await loop.sleep(limit);
    rang = true;
    work.cancel();
}

}  // namespace detail

// What the task gives, or timed_out where it was still waiting when the time was over. The task has
// ended in any case. Loop thread only; the loop outlives it.
template <class T>
Task<T> within(Loop& loop, Duration limit, Task<T> task) {
    std::optional<Result<T>> outcome;
    auto rang = false;
    TaskGroup work;
    TaskGroup clock;
    work.start(detail::keep_outcome(std::move(task), outcome, clock));
    clock.start(detail::ring(loop, limit, work, rang));
    // How it ended stands in the outcome.
    static_cast<void>(co_await work.join().result());
    clock.cancel();
    static_cast<void>(co_await clock.join().result());
    if (rang && !*outcome && outcome->error().kind() == Kind::cancelled)
        co_await fail(Kind::timed_out, "no answer in {} ms",
                      std::chrono::duration_cast<std::chrono::milliseconds>(limit).count());
    co_return co_await *std::move(outcome);
}

}  // namespace sheaf::io

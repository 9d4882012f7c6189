#pragma once

// Why: a test drives a loop by hand: turn by turn, or until something it waits for has happened.

#include <concepts>

#include "io/loop.h"
#include "io/task_group.h"

namespace sheaf::test {

// One turn: what has completed or was posted, then the turn hooks. Does not wait.
inline void turn(io::Loop& loop) {
    loop.stop();
    loop.run();
}

inline io::Task<void> nap(io::Loop& loop) {
    co_await loop.sleep(std::chrono::microseconds{1});
}

// Lets the loop fall asleep once, as one that has nothing to do.
inline void let_sleep(io::Loop& loop) {
    static_cast<void>(io::run(loop, nap(loop)));
}

// How long a test waits for what must happen; far more than it takes.
inline constexpr auto patience = std::chrono::seconds{20};

template <std::predicate Condition>
io::Task<void> wait_until(io::Loop& loop, Condition& condition) {
    const auto deadline = loop.now() + patience;
    while (!condition()) {
        if (loop.now() > deadline) co_await fail(Kind::timed_out, "it never happened");
        co_await loop.sleep(std::chrono::microseconds{50});
    }
}

// Turns the loop until the condition holds; false where that takes longer than our patience.
template <std::predicate Condition>
bool run_until(io::Loop& loop, Condition condition) {
    return io::run(loop, wait_until(loop, condition)).has_value();
}

}  // namespace sheaf::test

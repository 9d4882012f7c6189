#pragma once

// Why: many ask for the same thing at once (a flush, a checkpoint). It is done once at a time, and
// whoever waits for it learns whether it failed.

#include <optional>

#include "io/waiters.h"

namespace sheaf::volume {

struct SharedWork {
    bool running = false;
    std::uint64_t failures = 0;
    std::optional<Error> error;  // of the last failure
    io::Waiters ended;

    void end(Result<void> outcome) {
        running = false;
        if (!outcome) {
            ++failures;
            error = std::move(outcome).error();
        }
        ended.wake();
    }
    // Waits for the end of what runs.
    io::Task<void> wait() {
        if (running) co_await ended.wait();
    }
};

}  // namespace sheaf::volume

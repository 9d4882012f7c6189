#pragma once

// Why: many ask for the same thing at once (a flush, a checkpoint). It is done once at a time, and
// whoever waits for it learns whether it failed.

#include <optional>

#include "io/waiters.h"

namespace sheaf::volume {

struct SharedWork {
    bool running = false;
    unsigned claims = 0;  // of those who wait for nobody to do it
    std::uint64_t failures = 0;
    std::optional<Error> error;  // of the last failure
    io::Waiters ended;

    bool busy() const { return running || claims > 0; }
    // Whether the caller is to do it now.
    bool begin() { return !busy() && !std::exchange(running, true); }
    // Waits until nobody does it, and keeps others from doing it until end().
    io::Task<void> claim() {
        ++claims;
        auto outcome = Result<void>{};
        while (running && outcome) outcome = co_await ended.wait().result();
        --claims;
        if (outcome) {
            running = true;
        } else if (!busy()) {
            ended.wake();
        }
        co_await std::move(outcome);
    }
    void end(Result<void> outcome) {
        running = false;
        if (!outcome) {
            ++failures;
            error = std::move(outcome).error();
        }
        ended.wake();
    }
    // Waits for the end of what runs, or is about to.
    io::Task<void> wait() {
        if (busy()) co_await ended.wait();
    }
};

}  // namespace sheaf::volume

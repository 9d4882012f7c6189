#pragma once

// Why: an Event has one waiter; here any number of coroutines wait for the same change (a page that
// is being read, room that is to come free) and look again when it may have happened.

#include "io/event.h"
#include "io/task.h"

namespace sheaf::io {

// Loop thread only. Outlives those who wait.
class Waiters {
  public:
    Waiters() = default;
    Waiters(const Waiters&) = delete;
    Waiters& operator=(const Waiters&) = delete;
    ~Waiters();  // nobody may be waiting: aborts otherwise

    // Ends at the next wake(), or with cancelled. Whoever waited looks again at what it waits for:
    // another may have been faster.
    Task<void> wait();
    // Runs everybody who waits now, in the order they came, each up to its next wait.
    void wake();
    bool empty() const { return places_.next == &places_; }

  private:
    struct Link {
        Link() = default;
        Link(const Link&) = delete;
        Link& operator=(const Link&) = delete;
        Link* next = this;
        Link* previous = this;
        void unlink();
        void insert_before(Link& other);
    };
    struct Place : Link {
        ~Place() { unlink(); }
        Event event;
    };

    Link places_;
};

}  // namespace sheaf::io

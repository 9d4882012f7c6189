#pragma once

// Why: coroutines of one loop tell each other that something changed. An Event is set or not;
// wait() returns while it is set. There is at most one waiter at a time (each queue, each pump has
// its own).

#include "io/promise.h"

namespace sheaf::io {

class Event : Cancellable {
  public:
    void set();
    void clear() { set_ = false; }
    bool is_set() const { return set_; }

    // co_await event.wait(): ends the caller with Kind::cancelled when its scope is cancelled.
    auto wait() { return Wait{*this}; }

  private:
    struct [[nodiscard]] Wait {
        Event& event;
        bool await_ready() const { return event.set_; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> caller) {
            event.waiter_.remember(caller);
            event.begin_wait();
        }
        void await_resume() {}
    };

    void begin_wait();
    void cancel() override;

    Suspended waiter_;
    bool set_ = false;
    bool waiting_ = false;
};

}  // namespace sheaf::io

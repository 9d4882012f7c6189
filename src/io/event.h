#pragma once

// Why: coroutines of one loop tell each other that something changed. An Event is set or not;
// wait() returns while it is set. There is at most one waiter at a time (each queue, each pump has
// its own); a second one, or destroying the event under its waiter, is a fault that aborts.

#include "io/promise.h"

namespace sheaf::io {

class Event final : Cancellable {
  public:
    Event() = default;
    ~Event();

    // Runs the waiter, if there is one, up to its next wait before returning: whoever sets an event
    // has put its own state in order first. Loop thread only.
    void set();
    void clear() { set_ = false; }
    bool is_set() const { return set_; }

    // co_await event.wait(): ends the caller with Kind::cancelled when its scope is cancelled, also
    // where the event is set. `.result()` gives that as a Result<void>.
    auto wait() { return Wait<OnError::end_caller>{*this}; }

  private:
    template <OnError on_error>
    struct [[nodiscard]] Wait {
        Event& event;
        auto result() && { return Wait<OnError::look>{event}; }
        bool await_ready() const { return false; }
        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> caller) {
            event.waiter_.remember(caller);
            return event.begin_wait(on_error);
        }
        auto await_resume() {
            if constexpr (on_error == OnError::look) return event.outcome();
        }
    };

    bool begin_wait(OnError on_error);  // false: the caller goes on at once
    void cancel() override;
    void wake();  // the last thing done with *this, which may be destroyed by it
    Result<void> outcome() const;

    Suspended waiter_;
    OnError on_error_ = OnError::end_caller;
    bool set_ = false;
    bool waiting_ = false;
    bool cancelled_ = false;  // how the current wait ended
};

}  // namespace sheaf::io

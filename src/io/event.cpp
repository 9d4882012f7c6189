#include "io/event.h"

#include "io/misuse.h"

namespace sheaf::io {

Event::~Event() {
    if (waiting_) misuse("an event was destroyed while a task waits for it");
}

void Event::set() {
    set_ = true;
    if (waiting_) wake();
}

bool Event::begin_wait(OnError on_error) {
    if (waiting_) misuse("two tasks wait for one event");
    on_error_ = on_error;
    cancelled_ = waiter_.in_cancelled_scope();
    if (cancelled_) {
        if (on_error_ == OnError::look) return false;
        waiter_.end_with(Error{Kind::cancelled, "waiting for an event: cancelled"});
        return true;
    }
    if (set_) return false;
    waiting_ = true;
    if (auto* scope = waiter_.scope()) scope->add(*this);
    return true;
}

void Event::cancel() {
    cancelled_ = true;
    wake();
}

void Event::wake() {
    waiting_ = false;
    Scope::remove(*this);
    if (cancelled_ && on_error_ == OnError::end_caller) {
        waiter_.end_with(Error{Kind::cancelled, "waiting for an event: cancelled"});
    } else {
        waiter_.resume();
    }
}

Result<void> Event::outcome() const {
    if (cancelled_) return fail(Kind::cancelled, "waiting for an event: cancelled");
    return {};
}

}  // namespace sheaf::io

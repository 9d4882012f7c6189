#include "io/turn_hooks.h"

namespace sheaf::io {

TurnHook::~TurnHook() {
    if (queue_) queue_->remove(*this);
}

TurnHooks::~TurnHooks() {
    while (first_) remove(*first_);
}

void TurnHooks::add(TurnHook& hook) {
    if (hook.queue_) return;
    hook.queue_ = this;
    hook.next_ = nullptr;
    hook.link_ = last_;
    *last_ = &hook;
    last_ = &hook.next_;
}

void TurnHooks::remove(TurnHook& hook) {
    *hook.link_ = hook.next_;
    if (hook.next_) {
        hook.next_->link_ = hook.link_;
    } else {
        last_ = hook.link_;
    }
    hook.queue_ = nullptr;
}

void TurnHooks::run() {
    while (first_) {
        auto& hook = *first_;
        remove(hook);
        hook.turn_ended();
    }
}

}  // namespace sheaf::io

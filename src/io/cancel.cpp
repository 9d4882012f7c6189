#include "io/cancel.h"

#include <utility>

namespace sheaf::io {

void Cancellable::leave() {
    if (!link_) return;
    *link_ = next_;
    if (next_) next_->link_ = link_;
    next_ = nullptr;
    link_ = nullptr;
}

void Scope::add(Cancellable& wait) {
    wait.next_ = std::exchange(first_, &wait);
    wait.link_ = &first_;
    if (wait.next_) wait.next_->link_ = &wait.next_;
}

void Scope::cancel() {
    cancelled_ = true;
    // Cancelling one wait may end others (and even destroy them), so the list is taken off head by
    // head instead of being walked.
    while (first_) {
        auto& wait = *first_;
        wait.leave();
        wait.cancel();
    }
}

}  // namespace sheaf::io

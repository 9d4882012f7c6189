#include "io/poll_source.h"

namespace sheaf::io {

PollSource::~PollSource() {
    if (watchers_) watchers_->remove(*this);
}

PollSources::~PollSources() {
    while (first_) remove(*first_);
}

void PollSources::add(PollSource& source) {
    if (source.watchers_) return;
    source.watchers_ = this;
    source.next_ = first_;
    source.link_ = &first_;
    if (first_) first_->link_ = &source.next_;
    first_ = &source;
}

void PollSources::remove(PollSource& source) {
    if (following_ == &source) following_ = source.next_;
    *source.link_ = source.next_;
    if (source.next_) source.next_->link_ = source.link_;
    source.watchers_ = nullptr;
}

bool PollSources::ask(bool (PollSource::*question)()) {
    bool found = false;
    for (auto* source = first_; source; source = following_) {
        following_ = source->next_;
        found |= (source->*question)();
    }
    return found;
}

}  // namespace sheaf::io

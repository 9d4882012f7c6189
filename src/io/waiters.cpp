#include "io/waiters.h"

#include "io/misuse.h"

namespace sheaf::io {

void Waiters::Link::unlink() {
    next->previous = previous;
    previous->next = next;
    next = previous = this;
}

void Waiters::Link::insert_before(Link& other) {
    previous = other.previous;
    next = &other;
    previous->next = this;
    other.previous = this;
}

Waiters::~Waiters() {
    if (!empty()) misuse("something is destroyed that a coroutine waits for");
}

Task<void> Waiters::wait() {
    Place place;
    place.insert_before(places_);
    co_await place.event.wait();
}

// Those who are run may wait again, end, or end others that are still to be run.
void Waiters::wake() {
    Link now;
    while (!empty()) {
        auto& place = *places_.next;
        place.unlink();
        place.insert_before(now);
    }
    while (now.next != &now) {
        auto& place = static_cast<Place&>(*now.next);
        place.unlink();
        place.event.set();
    }
}

}  // namespace sheaf::io

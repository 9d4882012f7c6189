#include "control/work_queue.h"

#include <algorithm>

namespace sheaf::control {

// The sooner of two times counts.
void WorkQueue::schedule(Entries::iterator entry, io::TimePoint due) {
    auto& known = entry->second.due;
    if (known && known->first <= due) return;
    if (known) order_.erase(*known);
    known = {due, ++last_};
    order_.emplace(*known, entry);
}

void WorkQueue::add(const ObjectKey& key, io::TimePoint now) {
    const auto entry = entries_.try_emplace(key).first;
    if (entry->second.running) {
        entry->second.changed = true;
    } else {
        schedule(entry, std::max(now, entry->second.not_before));
    }
}

std::optional<ObjectKey> WorkQueue::take(io::TimePoint now) {
    if (order_.empty() || order_.begin()->first.first > now) return {};
    const auto entry = order_.begin()->second;
    order_.erase(order_.begin());
    entry->second.due.reset();
    entry->second.running = true;
    entry->second.changed = false;
    return entry->first;
}

void WorkQueue::succeeded(const ObjectKey& key, io::TimePoint now,
                          std::optional<io::Duration> again) {
    const auto entry = entries_.find(key);
    entry->second.running = false;
    entry->second.failures = 0;
    entry->second.not_before = {};
    if (entry->second.changed) {
        schedule(entry, now);
    } else if (again) {
        schedule(entry, now + *again);
    } else {
        entries_.erase(entry);
    }
}

void WorkQueue::failed(const ObjectKey& key, io::TimePoint now) {
    const auto entry = entries_.find(key);
    entry->second.running = false;
    entry->second.not_before = now + least_pause;
    const auto due = now + pause(++entry->second.failures);
    schedule(entry, entry->second.changed ? entry->second.not_before : due);
}

// Whoever failed together does not come back together.
io::Duration WorkQueue::pause(unsigned failures) {
    constexpr unsigned most_doublings = 20;
    const io::Duration doubled = first_pause * (1ULL << std::min(failures - 1, most_doublings));
    const auto whole = std::min<io::Duration>(doubled, longest_pause);
    const auto half = static_cast<std::uint64_t>(whole.count() / 2);
    return whole - io::Duration{static_cast<io::Duration::rep>(random_() % (half + 1))};
}

std::optional<io::TimePoint> WorkQueue::next_due() const {
    if (order_.empty()) return {};
    return order_.begin()->first.first;
}

unsigned WorkQueue::failures(const ObjectKey& key) const {
    const auto entry = entries_.find(key);
    return entry == entries_.end() ? 0 : entry->second.failures;
}

}  // namespace sheaf::control

#include "storage/volume/range_lock.h"

#include <algorithm>

namespace sheaf::volume {

bool RangeLock::conflict(const Range& left, const Range& right) {
    if (left.mode == Mode::shared && right.mode == Mode::shared) return false;
    return left.first < right.end && right.first < left.end;
}

bool RangeLock::grantable(std::list<Entry>::const_iterator place) const {
    return std::none_of(entries_.begin(), place, [place](const Entry& earlier) {
        return conflict(earlier.range, place->range);
    });
}

bool RangeLock::busy(std::uint64_t first, std::uint64_t end) const {
    return std::ranges::any_of(entries_, [first, end](const Entry& entry) {
        return entry.range.first < end && first < entry.range.end;
    });
}

io::Task<RangeLock::Held> RangeLock::acquire(Range range) {
    entries_.emplace_back(range, next_++);
    // From here on the place is given back, however this ends.
    Held held{*this, std::prev(entries_.end())};
    auto place = std::prev(entries_.end());
    if (grantable(place)) {
        place->granted = true;
        co_return held;
    }
    ++waiting_;
    const auto outcome = co_await place->grant.wait().result();
    --waiting_;
    co_await outcome;
    co_return held;
}

// Whoever is granted runs at once and may acquire and release in turn, so the search starts over
// after each.
void RangeLock::release(std::list<Entry>::iterator place) {
    entries_.erase(place);
    for (auto found = true; found && waiting_ > 0;) {
        found = false;
        for (auto next = entries_.begin(); next != entries_.end(); ++next) {
            if (next->granted || !grantable(next)) continue;
            next->granted = found = true;
            next->grant.set();
            break;
        }
    }
}

}  // namespace sheaf::volume

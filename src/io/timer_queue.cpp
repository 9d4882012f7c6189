#include "io/timer_queue.h"

namespace sheaf::io {

void TimerQueue::remove(Operation& operation) {
    auto [at, end] = waiting_.equal_range(operation.request.deadline);
    while (at != end && at->second != &operation) ++at;
    if (at != end) waiting_.erase(at);
}

std::optional<TimePoint> TimerQueue::earliest() const {
    if (waiting_.empty()) return std::nullopt;
    return waiting_.begin()->first;
}

Operation* TimerQueue::take_due(TimePoint now) {
    if (waiting_.empty() || waiting_.begin()->first > now) return nullptr;
    auto* operation = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    return operation;
}

}  // namespace sheaf::io

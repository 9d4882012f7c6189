#pragma once

// Why: the loops without the kernel's timers keep sleeping operations in order of their deadlines;
// equal deadlines end in the order in which they were started.

#include <map>
#include <optional>

#include "io/operation.h"

namespace sheaf::io {

class TimerQueue {
  public:
    void add(Operation& operation) { waiting_.emplace(operation.request.deadline, &operation); }
    // `operation` is in the queue.
    void remove(Operation& operation);
    std::optional<TimePoint> earliest() const;
    // The first operation whose deadline has come, taken out of the queue; null if there is none.
    Operation* take_due(TimePoint now);

  private:
    std::multimap<TimePoint, Operation*> waiting_;
};

}  // namespace sheaf::io

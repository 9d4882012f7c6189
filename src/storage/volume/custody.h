#pragma once

// Why: a volume may be one copy of several. What replication needs of it is little: the epoch and
// generation that it belongs to, kept durably; whether it has lost anything since; and where it may
// differ from the other copies. What: docs/formats/membership.md and replica-wire.md.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "io/operation.h"
#include "io/task.h"
#include "storage/volume/format.h"
#include "storage/volume/shape.h"

namespace sheaf::volume {

class Volume;

// Loop thread only; the volume outlives it.
class Custody {
  public:
    explicit Custody(Volume& volume) : volume_(volume) {}

    // What was stored last.
    Stamp stamp() const;
    // Durable when this ends. After a failure either may be on the disk.
    io::Task<void> store(Stamp stamp);

    // Stays the same as long as nothing was lost: over clean closes, not over a crash.
    std::uint64_t incarnation() const { return incarnation_; }

    struct Range {  // bytes, whole regions
        std::uint64_t offset = 0;
        std::uint64_t length = 0;
        bool operator==(const Range&) const = default;
    };
    // Where something was changed that the copies were not said to have in common since. In order,
    // neighbours joined.
    std::vector<Range> marked() const;
    // What was received before this moment is on all copies, so marks older than it may go.
    void settled(io::TimePoint before) { settled_before_ = std::max(settled_before_, before); }
    // Whether the mark of the region has to stay.
    bool holds(std::uint64_t region) const;

    // For the volume's recovery: what the disk had, and the number of this opening.
    void opened(const Superblock& found, std::uint64_t opening);

  private:
    Volume& volume_;
    std::uint64_t incarnation_ = 0;
    io::TimePoint settled_before_{};
};

}  // namespace sheaf::volume

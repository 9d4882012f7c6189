#pragma once

// Why: a person wants to know whether a volume is whole, all of it, before they need it: every
// structure, every block of every snapshot, every claim.

#include "storage/pool/open_volume.h"
#include "storage/pool/progress.h"

namespace sheaf::pool {

enum class Repair : std::uint8_t { no, yes };

struct CheckReport {
    std::string volume;
    std::vector<std::string> found;    // that any opening puts right, or that was repaired now
    std::vector<std::string> damaged;  // and stays so
    std::uint64_t bytes = 0;           // that were read and held against their checksums
    std::uint64_t snapshots = 0;
};
BOOST_DESCRIBE_STRUCT(CheckReport, (), (volume, found, damaged, bytes, snapshots))

// Opens the volume as any use of it does, which recovers it, and reads everything. What is damaged
// is in the report; fails where it cannot be looked at. Everything outlives the task.
io::Task<CheckReport> check_volume(io::Loop& loop, const Pool& pool, Holding holding, Repair repair,
                                   ProgressSink& sink);

}  // namespace sheaf::pool

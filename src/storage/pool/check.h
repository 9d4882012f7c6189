#pragma once

// Why: a person wants to know whether a volume is whole, all of it, before they need it: every
// structure, every block of every snapshot, every claim.

#include "storage/pool/volume_client.h"

namespace sheaf::pool {

enum class Repair : std::uint8_t { no, yes };

// Opens the volume as any use of it does, which recovers it, and reads everything. Where another
// has it open, that one reads, and what is beside the engine is left out; repairing is then refused
// with conflict. What is damaged is in the report; fails where it cannot be looked at. Everything
// outlives the task.
io::Task<CheckReport> check_volume(io::Loop& loop, const Pool& pool, std::string name,
                                   Repair repair, ProgressSink& sink);

}  // namespace sheaf::pool

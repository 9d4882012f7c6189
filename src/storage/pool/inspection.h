#pragma once

// Why: whether an open volume is whole is known when all of it has been read.

#include "storage/pool/progress.h"
#include "storage/volume/volume.h"

namespace sheaf::pool {

// Reads every block of the volume and of its snapshots, also while others write and make and delete
// snapshots; what is damaged is in the report. Everything outlives the task.
io::Task<CheckReport> inspect(io::Loop& loop, volume::Volume& engine, ProgressSink& sink);

// Adds to what a report lists, to a bound.
void tell(std::vector<std::string>& list, std::string text);

}  // namespace sheaf::pool

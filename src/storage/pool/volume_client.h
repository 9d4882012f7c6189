#pragma once

// Why: whoever wants something done to a volume does not care whether a machine has it open: with
// the lock in hand it is done here, else the process that has the lock is asked.

#include "storage/pool/open_volume.h"
#include "storage/pool/progress.h"

namespace sheaf::pool {

struct Errand {
    std::string volume;
    std::string verb;  // in whose name the lock is taken
    ControlRequest request;
};

// Does it and says what the volume is then. Fails with conflict where the volume is in use by a
// process that takes no requests, saying which. Everything outlives the task.
io::Task<VolumeStatus> run_errand(io::Loop& loop, const Pool& pool, Errand errand,
                                  ProgressSink& sink);

}  // namespace sheaf::pool

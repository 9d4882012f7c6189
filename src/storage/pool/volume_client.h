#pragma once

// Why: whoever wants something done to a volume does not care whether a machine has it open: with
// the lock in hand it is done here, else the process that has the lock is asked.

#include "storage/pool/line_channel.h"
#include "storage/pool/open_volume.h"

namespace sheaf::pool {

// One of the two: the lock is ours, or this is the way to who has it.
struct Reached {
    std::optional<Holding> held;
    std::optional<LineChannel> engine;
    std::string holder;  // of the lock, where it is another; in words
};

// Takes the lock of a volume or an image in the name of `verb`, or connects to who has it. Fails
// with conflict where that one takes no requests. The loop outlives what is reached.
io::Task<Reached> reach(io::Loop& loop, const Pool& pool, Shelf shelf, std::string name,
                        std::string verb);

// Has it done by who has the engine; fails as it does there, or with unavailable where it goes
// away.
io::Task<VolumeStatus> ask(LineChannel& engine, ControlRequest request, ProgressSink& sink);

struct Errand {
    std::string volume;
    std::string verb;  // in whose name the lock is taken
    ControlRequest request;
};

// Does it and says what the volume is then. Everything outlives the task.
io::Task<VolumeStatus> run_errand(io::Loop& loop, const Pool& pool, Errand errand,
                                  ProgressSink& sink);

// The same error, which says what it is about ("volume root").
Failure told_of(const std::string& what, Error error);

}  // namespace sheaf::pool

#pragma once

// Why: verbs that serve end in order when they are told to, by the same signals.

#include "base/fd.h"
#include "base/result.h"
#include "io/loop.h"
#include "io/task.h"

namespace sheaf::cli {

// Those signals as a descriptor; from now on they end nobody by themselves.
Result<Fd> open_stop_signals();
// Ends when SIGTERM, SIGINT or SIGHUP came. Loop thread only.
io::Task<void> wait_for_signal(io::Loop& loop, int signals);

}  // namespace sheaf::cli

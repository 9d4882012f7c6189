#pragma once

// Why: a service manager that hears nothing of the daemon for a while takes its loop to be stuck,
// and starts another one (WatchdogSec= of systemd.service(5)).

#include "io/loop.h"
#include "io/task.h"

namespace sheaf::control {

// Says that this process is alive as often as WATCHDOG_USEC asks for, twice in its time, until it
// is cancelled; ends at once where nobody asks.
io::Task<void> keep_watchdog(io::Loop& loop);

}  // namespace sheaf::control

#pragma once

// Why: a send may take a part only; what was begun is sent to its end.

#include <span>

#include "io/loop.h"
#include "io/task.h"

namespace sheaf::nbd {

// Sends all of it. The process ignores SIGPIPE: a connection that is gone is an error.
io::Task<void> send_all(io::Loop& loop, int descriptor, std::span<const std::byte> bytes);
// The same of many pieces; they are changed on the way.
io::Task<void> send_all(io::Loop& loop, int descriptor, std::span<iovec> pieces);

}  // namespace sheaf::nbd

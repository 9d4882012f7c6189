#pragma once

// Why: the one place that chooses the loop for this host.

#include <memory>

#include "io/loop.h"

namespace sheaf::io {

// A UringLoop, or a PoolLoop where io_uring is forbidden or missing; Loop::kind() says which.
Result<std::unique_ptr<Loop>> make_loop();

}  // namespace sheaf::io

#pragma once

// Why: a volume that has copies on several hosts is served by its engine, and a copy of one is
// looked at as it is.

#include "cli/cluster_access.h"

namespace sheaf::cli {

// What `volume nbd NAME --kv STORE --node NODE` does.
Result<void> serve_replicated(const Arguments& arguments);
// And what it does with --copy.
Result<void> serve_copy(const Arguments& arguments);

}  // namespace sheaf::cli

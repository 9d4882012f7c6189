#pragma once

// Why: turns what was typed after `sheaf run` into node::RunOptions, with every mistake named.

#include "cli/options.h"
#include "node/run_options.h"

namespace sheaf::cli {

// Fails with invalid for a value that makes no sense, and with unsupported for one that is known
// but not offered yet. The text names the option.
Result<node::RunOptions> parse_run_options(const Arguments& arguments);

}  // namespace sheaf::cli

#pragma once

// Why: each kind of simulated history is a verb of its own in a file of its own.

#include "cli/verbs.h"

namespace sheaf::cli {

extern const Verb simulate_cluster_verb;

}  // namespace sheaf::cli

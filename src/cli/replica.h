#pragma once

// Why: the sub-verbs of `sheaf replica`, each in a file of its own.

#include "cli/verbs.h"

namespace sheaf::cli {

extern const Verb replica_serve_verb;

}  // namespace sheaf::cli

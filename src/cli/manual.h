#pragma once

// Why: manual page and completions are the verbs' own descriptions in other words: they cannot be
// out of date.

#include <span>
#include <string>

#include "cli/options.h"

namespace sheaf::cli {

// sheaf(1), for man(1).
std::string manual_page(std::span<const Verb* const> verbs);

// A script for bash that completes verbs, options and their choices; kinds and names of objects it
// asks of the daemon.
std::string bash_completion(std::span<const Verb* const> verbs);

}  // namespace sheaf::cli

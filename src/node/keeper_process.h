#pragma once

// Why: a keeper without a terminal, which a daemon starts and which outlives it
// (docs/formats/keeper-control.md).

#include <span>

namespace sheaf::node {

// `sheaf keeper --directory N --control M`. Gives the exit status, which nobody waits for.
int keeper_main(std::span<char*> arguments);

}  // namespace sheaf::node

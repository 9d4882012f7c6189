#pragma once

// Why: what a person says of a volume's copies, checked before anything is asked of anybody.

#include "cli/options.h"
#include "storage/replica/provisioning.h"

namespace sheaf::cli {

// "a=10.0.0.1:7000,b=..." in the order given.
Result<std::vector<replica::CopyPlace>> parse_nodes(std::string_view text);

// Of --nodes, --replicas and --minimum; name and size are the caller's.
Result<replica::NewReplicatedVolume> parse_copies(const Arguments& arguments);

}  // namespace sheaf::cli

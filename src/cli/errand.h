#pragma once

// Why: most verbs about a volume are one errand to whoever has its engine.

#include "cli/pool_verb.h"
#include "storage/pool/control_protocol.h"

namespace sheaf::cli {

// Runs the errand for the verb on the volume of the first operand, showing progress on a terminal.
Result<pool::VolumeStatus> run_errand(const Verb& verb, const Arguments& arguments,
                                      pool::ControlRequest request);

// What --size or SIZE says: 4K to 16T, a multiple of 4K.
Result<std::uint64_t> parse_volume_size(const std::string& word);

}  // namespace sheaf::cli

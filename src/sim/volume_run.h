#pragma once

// Why: `sheaf simulate volume`. The real engine runs on a simulated host whose disks fail in every
// way real ones do; a model says what every read may give. One seed is one history, the same each
// time, so a history that goes wrong can be had again.

#include <string>

#include "sim/sector_model.h"
#include "sim/volume_world.h"

namespace sheaf::sim {

struct VolumeRunOptions {
    std::uint64_t seed = 0;
    std::uint64_t steps = 600;
    volume::Mutation mutation = volume::Mutation::none;  // a rule to be broken, in test builds
};

// What a run covered.
struct Coverage {
    std::uint64_t steps = 0;
    std::uint64_t writes = 0;
    std::uint64_t reads = 0;
    std::uint64_t flushes = 0;
    std::uint64_t zeroes = 0;
    std::uint64_t kills = 0;
    std::uint64_t power_cuts = 0;
    std::uint64_t clean_closes = 0;
    std::uint64_t failed_requests = 0;
    std::uint64_t broken_metadata_writes = 0;  // lost, or astray
    std::uint64_t refused = 0;  // histories ended where the map was found damaged by such a write
    std::uint64_t flipped_bits = 0;
    std::uint64_t detected_flips = 0;
    std::uint64_t snapshots = 0;
    std::uint64_t snapshots_read = 0;  // whole, after a recovery
    std::uint64_t views = 0;           // read while the volume is in use
    std::uint64_t deletes = 0;
    std::uint64_t reverts = 0;
    std::uint64_t clones = 0;
    std::uint64_t over_base = 0;  // histories of a volume that is a clone itself
    std::uint64_t flattened = 0;
    std::uint64_t resizes = 0;
    std::uint64_t layers_checked = 0;  // for slots that are shared or lost
    volume::Counters engine;

    void add(const Coverage& other);
};

struct VolumeRunResult {
    Coverage coverage;
    std::uint64_t trace = 0;  // equal seeds give equal traces
    std::string violation;    // empty: none
};

VolumeRunResult run_volume(const VolumeRunOptions& options);

}  // namespace sheaf::sim

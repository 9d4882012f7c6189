#pragma once

// Why: `sheaf simulate cluster`. Real engines write real copies on simulated hosts, whose disks,
// network and store fail; a model says what every read may give, whoever is the engine. One seed is
// one history, the same each time.

#include <string>

#include "sim/sector_model.h"
#include "storage/replica/replicated_volume.h"

namespace sheaf::sim {

struct ClusterRunOptions {
    std::uint64_t seed = 0;
    std::uint64_t steps = 1000;
    replica::Mutation mutation = replica::Mutation::none;  // a rule to be broken, in test builds
};

// What a run covered.
struct ClusterCoverage {
    std::uint64_t steps = 0;
    std::uint64_t writes = 0;
    std::uint64_t reads = 0;
    std::uint64_t flushes = 0;
    std::uint64_t zeroes = 0;
    std::uint64_t failed_requests = 0;
    std::uint64_t activations = 0;
    std::uint64_t failed_activations = 0;
    std::uint64_t engine_crashes = 0;
    std::uint64_t superseded = 0;  // engines that found out that they were
    std::uint64_t from_loss = 0;   // activations where no copy had kept everything
    std::uint64_t power_cuts = 0;  // of hosts with copies
    std::uint64_t kills = 0;
    std::uint64_t clean_closes = 0;
    std::uint64_t silent_deaths = 0;
    std::uint64_t cuts = 0;    // of a direction between two hosts
    std::uint64_t resets = 0;  // histories on a network that resets connections
    std::uint64_t store_outages = 0;
    std::uint64_t copies_compared = 0;  // whole, at the end
    replica::EngineCounters engine;

    void add(const ClusterCoverage& other);
};

struct ClusterRunResult {
    ClusterCoverage coverage;
    std::uint64_t trace = 0;  // equal seeds give equal traces
    std::string violation;    // empty: none
};

ClusterRunResult run_cluster(const ClusterRunOptions& options);

}  // namespace sheaf::sim

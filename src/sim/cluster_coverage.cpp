// Sums of what histories covered.

#include "sim/cluster_run.h"

namespace sheaf::sim {

void ClusterCoverage::add(const ClusterCoverage& other) {
    steps += other.steps;
    writes += other.writes;
    reads += other.reads;
    flushes += other.flushes;
    zeroes += other.zeroes;
    failed_requests += other.failed_requests;
    activations += other.activations;
    failed_activations += other.failed_activations;
    engine_crashes += other.engine_crashes;
    superseded += other.superseded;
    from_loss += other.from_loss;
    power_cuts += other.power_cuts;
    kills += other.kills;
    clean_closes += other.clean_closes;
    silent_deaths += other.silent_deaths;
    cuts += other.cuts;
    resets += other.resets;
    store_outages += other.store_outages;
    copies_compared += other.copies_compared;
    engine.add(other.engine);
}

}  // namespace sheaf::sim

#include "cli/simulate.h"
#include "sim/cluster_run.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"seed", "N", "the history to run, or the first one (default 1)"},
    {"seeds", "COUNT", "how many histories, one after the other (default 1)"},
    {"steps", "M", "requests and faults of one history (default 1000)"},
});

void print(const sim::ClusterCoverage& covered, std::uint64_t histories) {
    const auto& engine = covered.engine;
    fmt::print(
        "{} histories, {} steps: {} writes, {} reads, {} flushes, {} zeroed or discarded; {} "
        "failed with their engine\n"
        "engines: {} served, {} did not come to it, {} crashed, {} were superseded; {} began after "
        "a loss everywhere\n"
        "copies: {} power cuts, {} kills, {} clean closes ({} hosts died silently)\n"
        "faults: {} ways cut, {} outages of the store, {} histories with connections reset\n"
        "members: {} removed, {} came back as they were, {} renewed, {} rebuilt ({} while "
        "requests waited); {} attempts "
        "repeated\n"
        "bytes: {} made alike, {} copied to rebuild; {} rounds of taking marks back; {} copies "
        "compared whole\n",
        histories, covered.steps, covered.writes, covered.reads, covered.flushes, covered.zeroes,
        covered.failed_requests, covered.activations, covered.failed_activations,
        covered.engine_crashes, covered.superseded, covered.from_loss, covered.power_cuts,
        covered.kills, covered.clean_closes, covered.silent_deaths, covered.cuts,
        covered.store_outages, covered.resets, engine.removed, engine.resumed, engine.renewed,
        engine.rebuilt, engine.rebuilt_stalled, engine.repeated, engine.made_alike, engine.copied,
        engine.settled, covered.copies_compared);
}

int simulate_cluster_main(std::span<char*> arguments) {
    const auto run = [](std::uint64_t seed, std::uint64_t steps) {
        return sim::run_cluster({.seed = seed, .steps = steps});
    };
    return simulate<sim::ClusterCoverage>(simulate_cluster_verb, arguments, "1000", run, print);
}

}  // namespace

constinit const Verb simulate_cluster_verb = {
    .name = "simulate cluster",
    .summary = "histories of a replicated volume: hosts, network and store fail",
    .options = options,
    .details =
        "Engines on five hosts take a volume from each other whose copies are on three. A model "
        "says\n"
        "what every read may give; in the end nothing fails any more, and all copies are alike. "
        "The exit\n"
        "code is 0 when every promise was kept, else 1, with the seed.",
    .example = "sheaf simulate cluster --seed 1 --seeds 100",
    .main = simulate_cluster_main,
};

}  // namespace sheaf::cli

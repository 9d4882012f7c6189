#include <array>
#include <cstdio>

#include "cli/simulate.h"
#include "node/exit_report.h"
#include "sim/cluster_run.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"seed", "N", "the history to run, or the first one (default 1)"},
    {"seeds", "COUNT", "how many histories, one after the other (default 1)"},
    {"steps", "M", "requests and faults of one history (default 1000)"},
});

constexpr std::uint64_t most = 1'000'000'000'000;

struct Wanted {
    std::uint64_t seed;
    std::uint64_t seeds;
    std::uint64_t steps;
};

Result<Wanted> wanted(const Arguments& arguments) {
    return Wanted{
        .seed = TRY(parse_number(TRY(arguments.one("seed", "1")), 0, most)),
        .seeds = TRY(parse_number(TRY(arguments.one("seeds", "1")), 1, most)),
        .steps = TRY(parse_number(TRY(arguments.one("steps", "1000")), 1, most)),
    };
}

void print(const sim::ClusterCoverage& covered, std::uint64_t histories) {
    const auto& engine = covered.engine;
    fmt::print(
        "{} histories, {} steps: {} writes, {} reads, {} flushes, {} zeroed or discarded; {} "
        "failed with their engine\n"
        "engines: {} served, {} did not come to it, {} crashed, {} were superseded; {} began after "
        "a loss everywhere\n"
        "copies: {} power cuts, {} kills, {} clean closes ({} hosts died silently)\n"
        "faults: {} ways cut, {} outages of the store, {} histories with connections reset\n"
        "members: {} removed, {} came back as they were, {} renewed, {} rebuilt; {} attempts "
        "repeated\n"
        "bytes: {} made alike, {} copied to rebuild; {} rounds of taking marks back; {} copies "
        "compared whole\n",
        histories, covered.steps, covered.writes, covered.reads, covered.flushes, covered.zeroes,
        covered.failed_requests, covered.activations, covered.failed_activations,
        covered.engine_crashes, covered.superseded, covered.from_loss, covered.power_cuts,
        covered.kills, covered.clean_closes, covered.silent_deaths, covered.cuts,
        covered.store_outages, covered.resets, engine.removed, engine.resumed, engine.renewed,
        engine.rebuilt, engine.repeated, engine.made_alike, engine.copied, engine.settled,
        covered.copies_compared);
}

int run_histories(const Wanted& wanted) {
    sim::ClusterCoverage covered;
    for (std::uint64_t count = 0; count < wanted.seeds; ++count) {
        const auto seed = wanted.seed + count;
        const auto result = sim::run_cluster({.seed = seed, .steps = wanted.steps});
        covered.add(result.coverage);
        if (result.violation.empty()) continue;
        fmt::print(stderr,
                   "sheaf: simulate: seed {}: {}\nsee it again: sheaf simulate cluster --seed {} "
                   "--steps {}\n",
                   seed, result.violation, seed, wanted.steps);
        return 1;
    }
    print(covered, wanted.seeds);
    return 0;
}

int simulate_cluster_main(std::span<char*> arguments) {
    const auto parsed = arguments_or_exit(simulate_cluster_verb, arguments);
    if (!parsed) return parsed.error();
    const auto numbers = wanted(*parsed);
    if (numbers) return run_histories(*numbers);
    fmt::print(stderr, "sheaf: simulate cluster: {}; see sheaf simulate cluster --help\n",
               numbers.error().text());
    return static_cast<int>(node::ExitCode::usage);
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

#include "cli/simulate.h"

#include "sim/volume_run.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"seed", "N", "the history to run, or the first one (default 1)"},
    {"seeds", "COUNT", "how many histories, one after the other (default 1)"},
    {"steps", "M", "requests of one history (default 600)"},
});

void print(const sim::Coverage& covered, std::uint64_t histories) {
    const auto& engine = covered.engine;
    fmt::print(
        "{} histories, {} requests: {} writes, {} reads, {} flushes, {} zeroed or discarded\n"
        "ends: {} power cuts, {} kills, {} clean closes; {} histories refused after a stray write\n"
        "faults: {} requests failed, {} metadata writes lost or astray, {} bits flipped ({} "
        "found)\n"
        "layers: {} snapshots, {} views, {} deleted, {} reverts, {} clones, {} resizes; {} "
        "histories "
        "over a base, {} flattened\n"
        "        {} whole snapshots read after a recovery, slots of {} layers checked\n"
        "merging: {} layers, {} chunks copied, {} slots punched\n"
        "engine: {} checkpoints, {} records replayed, {} regions reconciled, {} cleaned\n",
        histories, covered.steps, covered.writes, covered.reads, covered.flushes, covered.zeroes,
        covered.power_cuts, covered.kills, covered.clean_closes, covered.refused,
        covered.failed_requests, covered.broken_metadata_writes, covered.flipped_bits,
        covered.detected_flips, covered.snapshots, covered.views, covered.deletes, covered.reverts,
        covered.clones, covered.resizes, covered.over_base, covered.flattened,
        covered.snapshots_read, covered.layers_checked, engine.merges, engine.chunks_merged,
        engine.slots_punched, engine.checkpoints, engine.records_replayed,
        engine.regions_reconciled, engine.regions_cleaned);
}

int simulate_volume_main(std::span<char*> arguments);

constexpr Verb simulate_volume_verb = {
    .name = "simulate volume",
    .summary = "histories of a volume: requests, faults, power cuts, kills",
    .options = options,
    .details =
        "A model says what every read may give. The same seed is the same history. The exit code "
        "is\n"
        "0 when every promise was kept, else 1, with the seed. Nothing of this host is read or "
        "written.",
    .example = "sheaf simulate volume --seed 1 --seeds 1000",
    .main = simulate_volume_main,
};

int simulate_volume_main(std::span<char*> arguments) {
    const auto run = [](std::uint64_t seed, std::uint64_t steps) {
        return sim::run_volume({.seed = seed, .steps = steps});
    };
    return simulate<sim::Coverage>(simulate_volume_verb, arguments, "600", run, print);
}

constexpr auto kinds = std::to_array<const Verb*>({&simulate_volume_verb, &simulate_cluster_verb});

}  // namespace

Result<WantedHistories> wanted_histories(const Arguments& arguments, std::string_view steps) {
    constexpr std::uint64_t most = 1'000'000'000'000;
    return WantedHistories{
        .seed = TRY(parse_number(TRY(arguments.one("seed", "1")), 0, most)),
        .seeds = TRY(parse_number(TRY(arguments.one("seeds", "1")), 1, most)),
        .steps = TRY(parse_number(TRY(arguments.one("steps", std::string{steps})), 1, most)),
    };
}

constinit const Verb simulate_verb = {
    .name = "simulate",
    .summary = "run the storage engine on simulated disks that fail in every way",
    .options = {},
    .details = {},
    .example = "sheaf simulate volume --seed 1 --seeds 1000",
    .main = nullptr,
    .operands = {},
    .verbs = kinds,
};

}  // namespace sheaf::cli

// Breaks each rule of replication in turn and runs histories until one finds it.
//
//     cluster_mutations              all of them
//     cluster_mutations NAME SEED    one history with one rule broken; NAME none: with all kept
//
// The exit code is 1 where a broken rule was not found.

#include <array>

#include "mutation_search.h"
#include "sim/cluster_run.h"

namespace {

using sheaf::replica::Mutation;
using sheaf::replica::MutationName;
using Search = sheaf::sim::MutationSearch<MutationName>;

constexpr auto known_seeds = std::to_array<Search::KnownSeed>({
    {Mutation::epoch_not_checked, 12},
    {Mutation::answered_before_removal, 3},
    {Mutation::incarnation_not_looked_at, 4},
    {Mutation::marks_taken_back_when_idle, 14},
    {Mutation::ranges_not_locked, 10},
    {Mutation::joiner_left_out_of_writes, 34},
    {Mutation::removal_without_condition, 16},
    {Mutation::flush_leaves_one_out, 18},
});

std::string run(const MutationName& broken, std::uint64_t seed) {
    return sheaf::sim::run_cluster({.seed = seed, .mutation = broken.mutation}).violation;
}

}  // namespace

int main(int count, char** arguments) {
    return Search{sheaf::replica::mutations, known_seeds, run}.main(count, arguments);
}

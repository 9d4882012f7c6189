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
    {Mutation::epoch_not_checked, 3},
    {Mutation::answered_before_removal, 2},
});

std::string run(const MutationName& broken, std::uint64_t seed) {
    return sheaf::sim::run_cluster({.seed = seed, .mutation = broken.mutation}).violation;
}

}  // namespace

int main(int count, char** arguments) {
    return Search{sheaf::replica::mutations, known_seeds, run}.main(count, arguments);
}

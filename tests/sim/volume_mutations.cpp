// Breaks each rule of the storage engine in turn and runs histories until one finds it.
//
//     volume_mutations              all of them
//     volume_mutations NAME SEED    one history with one rule broken; NAME none: with all kept
//
// The exit code is 1 where a broken rule was not found.

#include <array>

#include "mutation_search.h"
#include "sim/volume_run.h"

namespace {

using sheaf::volume::Mutation;
using sheaf::volume::MutationName;
using Search = sheaf::sim::MutationSearch<MutationName>;

constexpr auto known_seeds = std::to_array<Search::KnownSeed>({
    {Mutation::claim_ended_before_commit, 48},
    {Mutation::room_given_back_before_stable, 45},
    {Mutation::view_not_pinned, 5},
    {Mutation::claims_of_others_ignored, 5},
    {Mutation::merge_without_lock, 45},
    {Mutation::chain_while_merging, 19},
    {Mutation::flush_before_the_stack, 5},
});

std::string run(const MutationName& broken, std::uint64_t seed) {
    return sheaf::sim::run_volume({.seed = seed, .steps = 600, .mutation = broken.mutation})
        .violation;
}

}  // namespace

int main(int count, char** arguments) {
    return Search{sheaf::volume::mutations, known_seeds, run}.main(count, arguments);
}

#include "sim/cluster_run.h"

#include <gtest/gtest.h>

namespace sheaf::sim {
namespace {

TEST(ClusterRun, KeepsItsPromisesInSomeHistories) {
    ClusterCoverage covered;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const auto result = run_cluster({.seed = seed, .steps = 400});
        EXPECT_EQ(result.violation, "") << "seed " << seed;
        covered.add(result.coverage);
    }
    EXPECT_GT(covered.activations, 4u);
    EXPECT_GT(covered.power_cuts + covered.kills, 0u);
    EXPECT_GT(covered.engine.removed, 0u);
    EXPECT_GT(covered.engine.rebuilt, 0u);
    EXPECT_EQ(covered.copies_compared, 12u);
}

TEST(ClusterRun, IsTheSameForTheSameSeed) {
    const auto once = run_cluster({.seed = 7, .steps = 200});
    const auto again = run_cluster({.seed = 7, .steps = 200});
    EXPECT_EQ(once.trace, again.trace);
    EXPECT_NE(once.trace, run_cluster({.seed = 8, .steps = 200}).trace);
}

}  // namespace
}  // namespace sheaf::sim

#include "sim/volume_run.h"

#include <gtest/gtest.h>

namespace sheaf::sim {
namespace {

TEST(VolumeRun, HoldsItsPromisesOverSomeHistories) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const auto result = run_volume({.seed = seed});
        ASSERT_EQ(result.violation, "") << "seed " << seed;
    }
}

TEST(VolumeRun, IsTheSameEachTime) {
    const auto once = run_volume({.seed = 7});
    const auto again = run_volume({.seed = 7});
    EXPECT_EQ(once.trace, again.trace);
    EXPECT_NE(once.trace, run_volume({.seed = 8}).trace);
}

}  // namespace
}  // namespace sheaf::sim

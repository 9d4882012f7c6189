#include "base/metrics.h"

#include <array>
#include <thread>

#include <gtest/gtest.h>

namespace sheaf {
namespace {

TEST(Metrics, ACounterLosesNothingAmongThreads) {
    auto counter = Counter{};
    {
        auto threads = std::array<std::jthread, 4>{};
        for (auto& thread : threads)
            thread = std::jthread{[&counter] {
                for (int i = 0; i < 10'000; ++i) counter.add();
            }};
    }
    counter.add(5);
    EXPECT_EQ(counter.value(), 40'005u);
}

TEST(Metrics, AGaugeGoesBothWays) {
    auto gauge = Gauge{};
    gauge.set(10);
    gauge.add(-25);
    EXPECT_EQ(gauge.value(), -15);
}

TEST(Metrics, AHistogramPutsEachObservationIntoOneBucket) {
    auto histogram = Histogram{{0.5, 1, 10}};
    for (const double value : {0.1, 0.5, 0.6, 1.0, 10.5, 1e9}) histogram.observe(value);
    EXPECT_EQ(histogram.count(0), 2u);  // a bound belongs to its own bucket
    EXPECT_EQ(histogram.count(1), 2u);
    EXPECT_EQ(histogram.count(2), 0u);
    EXPECT_EQ(histogram.count(3), 2u);
    EXPECT_DOUBLE_EQ(histogram.sum(), 1e9 + 12.7);
}

}  // namespace
}  // namespace sheaf

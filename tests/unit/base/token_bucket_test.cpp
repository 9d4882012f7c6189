#include "base/token_bucket.h"

#include <gtest/gtest.h>

namespace sheaf {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

constexpr auto start = TokenBucket::TimePoint{1000s};

TEST(TokenBucket, GivesTheBurstAndThenTheRate) {
    auto bucket = TokenBucket{100, 10, start};
    EXPECT_EQ(bucket.take(4, start), 4u);
    EXPECT_EQ(bucket.take(100, start), 6u);
    EXPECT_EQ(bucket.take(1, start), 0u);
    EXPECT_EQ(bucket.take(100, start + 50ms), 5u);
    EXPECT_EQ(bucket.take(100, start + 10min), 10u);
}

TEST(TokenBucket, LosesNoPartOfAToken) {
    auto bucket = TokenBucket{3, 1000, start};
    EXPECT_EQ(bucket.take(1000, start), 1000u);
    std::uint64_t taken = 0;
    for (int i = 1; i <= 1000; ++i) taken += bucket.take(1000, start + i * 10ms);
    EXPECT_GE(taken, 29u);
    EXPECT_LE(taken, 30u);
}

TEST(TokenBucket, SaysHowLongToWait) {
    auto bucket = TokenBucket{100, 10, start};
    EXPECT_EQ(bucket.delay(10, start), 0s);
    ASSERT_EQ(bucket.take(10, start), 10u);
    const auto wait = bucket.delay(5, start);
    EXPECT_GE(wait, 50ms);
    EXPECT_LE(wait, 51ms);
    EXPECT_EQ(bucket.take(5, start + wait), 5u);
    // More than the bucket holds never comes at once; the burst is what can be waited for.
    EXPECT_LE(bucket.delay(1000, start + wait), 101ms);
}

TEST(TokenBucket, AClockThatGoesBackAddsNothing) {
    auto bucket = TokenBucket{100, 10, start};
    ASSERT_EQ(bucket.take(10, start), 10u);
    EXPECT_EQ(bucket.take(1, start - 1h), 0u);
    EXPECT_EQ(bucket.take(10, start + 20ms), 2u);
}

}  // namespace
}  // namespace sheaf

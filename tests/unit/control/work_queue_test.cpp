#include "control/work_queue.h"

#include <gtest/gtest.h>

namespace sheaf::control {
namespace {

using namespace std::chrono_literals;

class WorkQueueTest : public testing::Test {
  protected:
    static io::TimePoint at(io::Duration since) { return io::TimePoint{} + since; }
    std::optional<std::string> take(io::Duration now) {
        const auto key = queue_.take(at(now));
        return key ? std::optional{key->name} : std::nullopt;
    }

    std::uint64_t random_ = 0;
    WorkQueue queue_{[this] { return random_; }};
    ObjectKey a_{"n", "a"};
    ObjectKey b_{"n", "b"};
};

TEST_F(WorkQueueTest, ChangesOfOneObjectWaitOnceAndInTheOrderOfTheFirst) {
    queue_.add(b_, at(1s));
    queue_.add(a_, at(1s));
    queue_.add(b_, at(2s));
    EXPECT_EQ(queue_.size(), 2U);
    EXPECT_EQ(take(2s), "b");
    EXPECT_EQ(take(2s), "a");
    EXPECT_EQ(take(2s), std::nullopt);
}

TEST_F(WorkQueueTest, WhatChangesWhileItRunsRunsOnceMoreAndNotAtOnce) {
    queue_.add(a_, at(1s));
    ASSERT_EQ(take(1s), "a");
    queue_.add(a_, at(2s));
    EXPECT_EQ(take(2s), std::nullopt);
    queue_.succeeded(a_, at(3s), {});
    EXPECT_EQ(take(3s), "a");
    queue_.succeeded(a_, at(4s), {});
    EXPECT_EQ(queue_.size(), 0U);
    EXPECT_EQ(queue_.next_due(), std::nullopt);
}

TEST_F(WorkQueueTest, WhatIsToBeLookedAtAgainIsDueThenOrWhenItChanges) {
    queue_.add(a_, at(1s));
    take(1s);
    queue_.succeeded(a_, at(1s), 10s);
    EXPECT_EQ(queue_.next_due(), at(11s));
    EXPECT_EQ(take(10s), std::nullopt);
    queue_.add(a_, at(10s));
    EXPECT_EQ(take(10s), "a");
    EXPECT_EQ(queue_.next_due(), std::nullopt);
}

TEST_F(WorkQueueTest, FailuresPauseTwiceAsLongEachTimeUpToALimit) {
    queue_.add(a_, at(0s));
    io::Duration expected = WorkQueue::first_pause;
    io::Duration now{0};
    for (int failures = 1; failures < 40; ++failures) {
        ASSERT_EQ(take(now), "a");
        queue_.failed(a_, at(now));
        ASSERT_EQ(queue_.next_due(), at(now + expected)) << failures;
        EXPECT_EQ(queue_.failures(a_), failures);
        now += expected;
        expected = std::min<io::Duration>(2 * expected, WorkQueue::longest_pause);
    }
}

TEST_F(WorkQueueTest, APauseIsBetweenHalfAndAllOfItsLength) {
    random_ = UINT64_MAX;
    for (int turn = 0; turn < 100; ++turn) {
        random_ = random_ * 6364136223846793005 + 1442695040888963407;
        queue_.add(a_, at(turn * 1h));
        ASSERT_EQ(take(turn * 1h), "a");
        queue_.failed(a_, at(turn * 1h));
        EXPECT_GE(*queue_.next_due(), at(turn * 1h + WorkQueue::first_pause / 2));
        EXPECT_LE(*queue_.next_due(), at(turn * 1h + WorkQueue::first_pause));
        ASSERT_EQ(take(turn * 1h + 1min), "a");
        queue_.succeeded(a_, at(turn * 1h + 1min), {});
    }
}

TEST_F(WorkQueueTest, AChangeEndsAPauseButNotTheLeastOne) {
    for (int failures = 0; failures < 10; ++failures) {
        queue_.add(a_, at(failures * 1h));
        ASSERT_EQ(take(failures * 1h), "a");
        queue_.failed(a_, at(failures * 1h));
        take(failures * 1h + 59min);
        queue_.failed(a_, at(failures * 1h + 59min));
    }
    queue_.add(a_, at(9h + 59min));
    EXPECT_EQ(queue_.next_due(), at(9h + 59min + WorkQueue::least_pause));
    ASSERT_EQ(take(9h + 59min + WorkQueue::least_pause), "a");
    queue_.succeeded(a_, at(10h), {});
    EXPECT_EQ(queue_.failures(a_), 0U);
}

TEST_F(WorkQueueTest, WhatChangedWhileItFailedIsNotPausedFor) {
    queue_.add(a_, at(1s));
    take(1s);
    queue_.add(a_, at(1s));
    queue_.failed(a_, at(1s));
    EXPECT_EQ(queue_.next_due(), at(1s + WorkQueue::least_pause));
}

}  // namespace
}  // namespace sheaf::control

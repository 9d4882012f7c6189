#include "io/time_limit.h"

#include <gtest/gtest.h>

#include "io/sim_loop.h"

namespace sheaf::io {
namespace {

using std::chrono::seconds;

class TimeLimits : public testing::Test {
  protected:
    SimLoop& loop() { return *loop_; }

  private:
    std::unique_ptr<SimLoop> loop_ = SimLoop::create(1).value();
};

Task<int> answer_after(Loop& loop, seconds time) {
    co_await loop.sleep(time);
    co_return 42;
}

Task<int> fail_after(Loop& loop, seconds time) {
    co_await loop.sleep(time);
    co_await fail(Kind::conflict, "no");
    co_return 0;
}

TEST_F(TimeLimits, WhatEndsInTimeGivesWhatItGives) {
    const auto start = loop().now();
    EXPECT_EQ(run(loop(), within(loop(), seconds{5}, answer_after(loop(), seconds{1}))).value(),
              42);
    EXPECT_EQ(loop().now() - start, seconds{1});
    EXPECT_EQ(run(loop(), within(loop(), seconds{5}, answer_after(loop(), seconds{0}))).value(),
              42);
    const auto failed = run(loop(), within(loop(), seconds{5}, fail_after(loop(), seconds{1})));
    EXPECT_EQ(failed.error().kind(), Kind::conflict);
}

TEST_F(TimeLimits, WhatDoesNotHasFailedThen) {
    const auto start = loop().now();
    const auto late = run(loop(), within(loop(), seconds{5}, answer_after(loop(), seconds{50})));
    EXPECT_EQ(late.error().kind(), Kind::timed_out);
    EXPECT_EQ(late.error().text(), "no answer in 5000 ms");
    EXPECT_EQ(loop().now() - start, seconds{5});
}

Task<void> keep(Task<int> task, std::optional<Result<int>>& into) {
    into.emplace(co_await std::move(task).result());
}

Task<void> cancel_soon(Loop& loop, std::optional<Result<int>>& into) {
    TaskGroup group;
    group.start(keep(within(loop, seconds{5}, answer_after(loop, seconds{50})), into));
    co_await loop.sleep(seconds{1});
    group.cancel();
    co_await group.join();
}

TEST_F(TimeLimits, WhoIsCancelledIsNotLate) {
    std::optional<Result<int>> outcome;
    ASSERT_TRUE(run(loop(), cancel_soon(loop(), outcome)));
    EXPECT_EQ(outcome->error().kind(), Kind::cancelled);
}

}  // namespace
}  // namespace sheaf::io

#include "io/task.h"

#include <gtest/gtest.h>

#include "io/event.h"
#include "io/task_group.h"
#include "io/uring_loop.h"

namespace sheaf::io {
namespace {

Task<int> one() {
    co_return 1;
}

Task<void> count_to(int limit, int& total) {
    for (auto i = 0; i < limit; ++i) total += co_await one();
}

TEST(Task, AwaitsThatNeverWaitCostNoStack) {
    auto loop = UringLoop::create().value();
    auto total = 0;
    ASSERT_TRUE(run(*loop, count_to(1'000'000, total)));
    EXPECT_EQ(total, 1'000'000);
}

}  // namespace
}  // namespace sheaf::io

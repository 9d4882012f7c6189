#include "base/defer.h"

#include <gtest/gtest.h>

namespace sheaf {
namespace {

TEST(Defer, RunsOnceOnTheWayOut) {
    int runs = 0;
    {
        const auto action = Defer{[&] { ++runs; }};
        EXPECT_EQ(runs, 0);
    }
    EXPECT_EQ(runs, 1);
}

TEST(Defer, NotOnceDismissed) {
    int runs = 0;
    {
        auto action = Defer{[&] { ++runs; }};
        action.dismiss();
    }
    EXPECT_EQ(runs, 0);
}

}  // namespace
}  // namespace sheaf

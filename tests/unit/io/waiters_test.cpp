#include "io/waiters.h"

#include <string>

#include <gtest/gtest.h>

#include "io/task_group.h"

namespace sheaf::io {
namespace {

Task<void> wait_for(Waiters& waiters, std::string& order, char name, int times) {
    for (; times > 0; --times) {
        co_await waiters.wait();
        order += name;
    }
}

TEST(WaitersTest, AreAllWokenInOrderAndOnlyThoseWhoWaited) {
    Waiters waiters;
    TaskGroup group;
    std::string order;
    group.start(wait_for(waiters, order, 'a', 2));
    group.start(wait_for(waiters, order, 'b', 1));
    waiters.wake();
    EXPECT_EQ(order, "ab");
    EXPECT_FALSE(waiters.empty());
    waiters.wake();
    EXPECT_EQ(order, "aba");
    EXPECT_TRUE(waiters.empty());
    EXPECT_TRUE(group.empty());
}

Task<void> wait_then_cancel(Waiters& waiters, TaskGroup& other) {
    co_await waiters.wait();
    other.cancel();
}

TEST(WaitersTest, OneMayEndAnotherThatIsStillToBeWoken) {
    Waiters waiters;
    TaskGroup first;
    TaskGroup second;
    std::string order;
    first.start(wait_then_cancel(waiters, second));
    second.start(wait_for(waiters, order, 'b', 1));
    waiters.wake();
    EXPECT_EQ(order, "");
    EXPECT_TRUE(waiters.empty());
    EXPECT_TRUE(second.empty());
}

}  // namespace
}  // namespace sheaf::io

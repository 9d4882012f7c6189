#include "storage/volume/range_lock.h"

#include <string>

#include <gtest/gtest.h>

#include "io/sim_loop.h"
#include "io/task_group.h"

namespace sheaf::volume {
namespace {

using namespace std::chrono_literals;
using Mode = RangeLock::Mode;

class RangeLocks : public testing::Test {
  protected:
    io::Task<void> hold(char name, RangeLock::Range range, io::Duration duration) {
        const auto held = co_await lock.acquire(range);
        order += name;
        co_await loop->sleep(duration);
        order += static_cast<char>(name - 'a' + 'A');
    }
    std::unique_ptr<io::SimLoop> loop = io::SimLoop::create(1).value();
    RangeLock lock;
    std::string order;  // a small letter begins, a capital one ends
};

io::Task<void> wait_for(io::TaskGroup& group) {
    co_await group.join();
}

TEST_F(RangeLocks, ThatOverlapGoOneAfterTheOtherInTheirOrder) {
    io::TaskGroup group;
    group.start(hold('a', {0, 8, Mode::exclusive}, 9ms));
    group.start(hold('b', {7, 9, Mode::exclusive}, 1ms));
    group.start(hold('c', {8, 12, Mode::exclusive}, 1ms));  // free, but behind b
    group.start(hold('d', {20, 21, Mode::exclusive}, 1ms));
    EXPECT_TRUE(io::run(*loop, wait_for(group)));
    EXPECT_EQ(order, "adDAbBcC");
    EXPECT_TRUE(lock.idle());
}

TEST_F(RangeLocks, ReadersShareAndAWriterIsNotOvertaken) {
    io::TaskGroup group;
    group.start(hold('a', {0, 8, Mode::shared}, 4ms));
    group.start(hold('b', {4, 6, Mode::shared}, 2ms));
    group.start(hold('c', {5, 6, Mode::exclusive}, 1ms));
    group.start(hold('d', {5, 6, Mode::shared}, 1ms));
    EXPECT_TRUE(lock.busy(5, 6));
    EXPECT_FALSE(lock.busy(8, 9));
    EXPECT_TRUE(io::run(*loop, wait_for(group)));
    EXPECT_EQ(order, "abBAcCdD");
}

io::Task<void> cancel_soon(io::Loop& loop, io::TaskGroup& group) {
    co_await loop.sleep(1ms);
    group.cancel();
    co_await group.join();
}

TEST_F(RangeLocks, WhoGivesUpWaitingLetsTheNextOneThrough) {
    io::TaskGroup holder;
    io::TaskGroup waiting;
    io::TaskGroup next;
    holder.start(hold('a', {0, 4, Mode::shared}, 5ms));
    waiting.start(hold('b', {0, 8, Mode::exclusive}, 1ms));
    next.start(hold('c', {6, 8, Mode::shared}, 1ms));
    EXPECT_EQ(order, "a");
    EXPECT_TRUE(io::run(*loop, cancel_soon(*loop, waiting)));
    EXPECT_EQ(order, "ac");
    EXPECT_TRUE(io::run(*loop, wait_for(next)));
    EXPECT_TRUE(io::run(*loop, wait_for(holder)));
    EXPECT_TRUE(lock.idle());
}

}  // namespace
}  // namespace sheaf::volume

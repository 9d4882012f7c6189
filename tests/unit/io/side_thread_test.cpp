#include "io/side_thread.h"

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "io/task_group.h"

namespace sheaf::io {
namespace {

class SideThreads : public testing::Test {
  protected:
    Loop& loop() { return *loop_; }
    SideThread& side() { return *side_; }

  private:
    std::unique_ptr<Loop> loop_ = make_loop().value();
    std::unique_ptr<SideThread> side_ = SideThread::create(*loop_).value();
};

Task<void> add(SideThread& side, std::vector<int>& order, int number) {
    auto work = [&order, number]() -> Result<void> {
        order.push_back(number);
        return {};
    };
    co_await side.call(std::move(work));
}

Task<void> add_many(SideThread& side, std::vector<int>& order) {
    TaskGroup group;
    for (int number = 0; number < 100; ++number) group.start(add(side, order, number));
    co_await group.join();
}

TEST_F(SideThreads, CallsAreMadeInTheirOrder) {
    std::vector<int> order;
    ASSERT_TRUE(run(loop(), add_many(side(), order)));
    EXPECT_EQ(order.size(), 100u);
    EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST_F(SideThreads, ACallIsMadeElsewhereAndItsAnswerIsHere) {
    auto where = []() -> Result<std::thread::id> { return std::this_thread::get_id(); };
    const auto found = run(loop(), side().call(std::move(where)));
    EXPECT_NE(found.value(), std::this_thread::get_id());
    auto failing = []() -> Result<int> { return fail(Kind::conflict, "no"); };
    EXPECT_EQ(run(loop(), side().call(std::move(failing))).error().kind(), Kind::conflict);
}

Task<void> cancel_a_call(SideThread& side, bool& made, bool& refused) {
    std::vector<int> order;
    TaskGroup group;
    group.start(add(side, order, 1));
    group.cancel();
    co_await group.join();
    made = order.size() == 1;  // begun before, and so it was waited for
    group.start(add(side, order, 2));
    co_await group.join();
    refused = order.size() == 1;
}

TEST_F(SideThreads, CancellationDoesNotCutACallShort) {
    auto made = false;
    auto refused = false;
    ASSERT_TRUE(run(loop(), cancel_a_call(side(), made, refused)));
    EXPECT_TRUE(made);
    EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace sheaf::io

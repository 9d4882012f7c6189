#include "storage/replica/member_way.h"

#include <gtest/gtest.h>

#include "io/sim_loop.h"

namespace sheaf::replica {
namespace {

using namespace std::chrono_literals;

class NoWays final : public Ways {
  public:
    io::Task<std::unique_ptr<Replica>> open(std::string node) override {
        co_await fail(Kind::unavailable, "no way to {}", node);
        co_return nullptr;
    }
};

io::Task<void> take(io::Loop& loop, io::Duration time) {
    co_await loop.sleep(time);
}

class MemberWays : public testing::Test {
  protected:
    // What came of a request that takes so long.
    Result<void> ask(io::Duration time) { return io::run(*loop, way.ask(take(*loop, time))); }
    std::unique_ptr<io::SimLoop> loop = io::SimLoop::create(1).value();
    NoWays ways;
    MemberWay way{*loop, ways, "node-a", {200ms, 3s}};
};

TEST_F(MemberWays, GiveUpWhatTakesTooLong) {
    EXPECT_EQ(way.limit(), 200ms);
    EXPECT_TRUE(ask(199ms));
    MemberWay other{*loop, ways, "node-b", {200ms, 3s}};
    const auto outcome = io::run(*loop, other.ask(take(*loop, 201ms)));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::timed_out);
    EXPECT_EQ(other.in_flight(), 0u);
}

// Something that takes a second would else never be done, however often it is begun.
TEST_F(MemberWays, GiveTheNextOneMoreTime) {
    int given_up = 0;
    while (!ask(1s)) ASSERT_LT(++given_up, 5);
    EXPECT_GT(given_up, 0);
    EXPECT_LE(way.limit(), 3s);
}

TEST_F(MemberWays, ForgetWhatTookLong) {
    while (!ask(1s)) {
    }
    for (int quick = 0; quick < 100; ++quick) ASSERT_TRUE(ask(1ms));
    EXPECT_EQ(way.limit(), 200ms);
}

TEST_F(MemberWays, SayWhereThereIsNone) {
    const auto outcome = io::run(*loop, way.reach(1, 1));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::unavailable);
    EXPECT_FALSE(way.open());
}

}  // namespace
}  // namespace sheaf::replica

// The faults of the way to a simulated store. What it answers where nothing fails is seen by the
// suite of all stores.

#include "sim/sim_kv.h"

#include <gtest/gtest.h>

namespace sheaf::sim {
namespace {

class SimKvs : public testing::Test {
  protected:
    void TearDown() override { EXPECT_TRUE(io::run(loop(), store_.shut_down())); }
    io::SimLoop& loop() { return *loop_; }
    SimKv& kv() { return kv_; }
    SimStore& store() { return store_; }
    Result<kv::Revision> put(const std::string& value) {
        kv::Transaction transaction;
        transaction.writes.push_back({"a", value, 0});
        return io::run(loop(), kv_.commit(transaction));
    }
    Kind failure_of_put() {
        const auto revision = put("x");
        EXPECT_FALSE(revision);
        return revision ? Kind::io : revision.error().kind();
    }

  private:
    std::unique_ptr<io::SimLoop> loop_ = io::SimLoop::create(1).value();
    SimStore store_{*loop_};
    SimKv kv_{*loop_, store_, 1};
};

TEST_F(SimKvs, ARequestThatIsLostDidNothing) {
    kv().set_faults({.lost_request = 1});
    EXPECT_EQ(failure_of_put(), Kind::unavailable);
    EXPECT_EQ(store().revision(), 1u);
}

TEST_F(SimKvs, ARequestWhoseAnswerIsLostWasDone) {
    kv().set_faults({.lost_answer = 1});
    EXPECT_EQ(failure_of_put(), Kind::unavailable);
    EXPECT_EQ(store().revision(), 2u);
    EXPECT_EQ(store().get("a")->value, "x");
}

TEST_F(SimKvs, WhoIsCutOffReachesNothingAndIsToldSo) {
    const auto watch = kv().watch("", 1);
    kv().set_reachable(false);
    EXPECT_EQ(failure_of_put(), Kind::unavailable);
    EXPECT_EQ(io::run(loop(), watch->next()).error().kind(), Kind::unavailable);
    kv().set_reachable(true);
    ASSERT_TRUE(put("y"));
    EXPECT_EQ(io::run(loop(), watch->next()).value().at(0).now->value, "y");
}

io::Task<void> cut_off_soon(io::SimLoop& loop, SimKv& kv) {
    co_await loop.sleep(std::chrono::seconds{1});
    kv.set_reachable(false);
}

io::Task<void> wait_and_be_cut_off(io::SimLoop& loop, SimKv& kv, kv::Watch& watch, Kind& kind) {
    io::TaskGroup group;
    group.start(cut_off_soon(loop, kv));
    const auto found = co_await watch.next().result();
    if (!found) kind = found.error().kind();
    co_await group.join();
}

TEST_F(SimKvs, AWatchThatWaitsIsToldOfTheCut) {
    const auto watch = kv().watch("", 1);
    auto kind = Kind::io;
    ASSERT_TRUE(io::run(loop(), wait_and_be_cut_off(loop(), kv(), *watch, kind)));
    EXPECT_EQ(kind, Kind::unavailable);
    kv().set_reachable(true);
}

TEST_F(SimKvs, ABrokenWatchGoesOnWhereItWas) {
    const auto watch = kv().watch("", 1);
    kv().set_faults({.broken_watch = 0.5});
    for (int number = 0; number < 20; ++number) {
        ASSERT_TRUE(put(std::to_string(number)));
        auto found = io::run(loop(), watch->next());
        while (!found) {
            EXPECT_EQ(found.error().kind(), Kind::unavailable);
            found = io::run(loop(), watch->next());
        }
        EXPECT_EQ(found->at(0).now->value, std::to_string(number));
    }
}

io::Task<void> sleep(io::SimLoop& loop, std::chrono::seconds time) {
    co_await loop.sleep(time);
}

TEST_F(SimKvs, ALeaseEndsWhetherItsHolderIsReachableOrNot) {
    const auto lease = io::run(loop(), kv().grant(std::chrono::seconds{10})).value();
    kv::Transaction transaction;
    transaction.writes.push_back({"a", "", lease.id});
    ASSERT_TRUE(io::run(loop(), kv().commit(transaction)));
    ASSERT_TRUE(io::run(loop(), sleep(loop(), std::chrono::seconds{8})));
    ASSERT_TRUE(io::run(loop(), kv().renew(lease.id)));
    ASSERT_TRUE(io::run(loop(), sleep(loop(), std::chrono::seconds{9})));
    EXPECT_TRUE(store().get("a"));
    kv().set_reachable(false);
    ASSERT_TRUE(io::run(loop(), sleep(loop(), std::chrono::seconds{2})));
    EXPECT_FALSE(store().get("a"));
    kv().set_reachable(true);
}

}  // namespace
}  // namespace sheaf::sim

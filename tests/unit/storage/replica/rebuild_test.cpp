#include "engine_world.h"

namespace sheaf::replica {
namespace {

using namespace std::chrono_literals;

bool two_in_sync(const ReplicatedVolume& engine) {
    return engine.membership().nodes(MemberState::in_sync).size() == 2 && engine.serving();
}

bool all_in_sync(const ReplicatedVolume& engine) {
    return engine.membership().nodes(MemberState::in_sync).size() == 3 && engine.serving();
}

bool stalls(const ReplicatedVolume& engine) {
    return !engine.serving();
}

class Rebuild : public EngineWorld {
  protected:
    Rebuild() : EngineWorld(1_MiB) {}
};

TEST_F(Rebuild, GoesOnWhileTheEngineStallsForAnotherCopy) {
    auto& engine = activate();
    ASSERT_TRUE(run(write(0, 1)));
    kill(2);
    ASSERT_TRUE(run(write(4_KiB, 2)));
    ASSERT_TRUE(two_in_sync(engine));
    cut(1);
    io::TaskGroup writing;
    writing.start(write(8_KiB, 3));
    ASSERT_TRUE(becomes(stalls, 10s));
    start(2);
    EXPECT_TRUE(becomes(two_in_sync, 60s)) << "the silent one is waited for";
    EXPECT_EQ(engine.counters().rebuilt_stalled, 1u);
    EXPECT_TRUE(ends(writing));
    for (std::uint8_t block = 0; block < 3; ++block)
        EXPECT_EQ(value_at(2, block * 4_KiB), block + 1);
    heal(1);
    EXPECT_TRUE(becomes(all_in_sync, 60s));
    EXPECT_EQ(value_at(1, 8_KiB), 3);
}

// The same where it stalls in the middle of the rebuild, whose next piece a request has locked.
TEST_F(Rebuild, GoesOnWhereTheEngineBeginsToStall) {
    auto& engine = activate();
    kill(2);
    ASSERT_TRUE(run(write(0, 1)));
    start(2);
    io::SimDisk::Faults slow;
    slow.most_delay = 50ms;
    host(2).world().set_faults(slow);
    ASSERT_TRUE(
        becomes([](const ReplicatedVolume& now) { return now.counters().copied > 0; }, 10s));
    cut(1);
    io::TaskGroup writing;
    for (std::uint64_t offset = 0; offset < size(); offset += 64_KiB)
        writing.start(write(offset, 7));
    const auto goes_on = [](const ReplicatedVolume& now) {
        return now.serving() && now.counters().removed == 2;
    };
    EXPECT_TRUE(becomes(goes_on, 60s));
    EXPECT_TRUE(ends(writing));
    EXPECT_EQ(engine.membership().find("node-1")->state, MemberState::removed);
    for (std::uint64_t offset = 0; offset < size(); offset += 64_KiB)
        EXPECT_EQ(value_at(2, offset), 7);
}

class IdleRebuild : public EngineWorld {
  protected:
    IdleRebuild() : EngineWorld(128_KiB) {}
};

// Marks are taken back round after round, and a round waits for what is locked: also for the last
// piece of a rebuild, after which nothing may happen for hours.
TEST_F(IdleRebuild, IsFollowedByLooksAtItsCopy) {
    EngineOptions options;
    options.settle = 1ms;
    options.restore = 20ms;
    auto& engine = activate(options);
    for (std::uint64_t offset = 0; offset < size(); offset += 4_KiB)
        ASSERT_TRUE(run(write(offset, 1)));
    kill(2);
    ASSERT_TRUE(becomes(two_in_sync, 10s));
    io::SimDisk::Faults slow;
    slow.most_delay = 20ms;
    for (sim::Place place = 0; place < copies; ++place) host(place).world().set_faults(slow);
    start(2);
    ASSERT_TRUE(becomes(all_in_sync, 10s));
    const auto rounds = engine.counters().settled;
    pass(1s);
    EXPECT_GT(engine.counters().settled, rounds);
    kill(2);
    EXPECT_TRUE(becomes(two_in_sync, 10s)) << "nobody looks";
}

}  // namespace
}  // namespace sheaf::replica

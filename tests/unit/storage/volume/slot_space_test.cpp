#include "storage/volume/slot_space.h"

#include <set>

#include <gtest/gtest.h>

#include "io/sim_loop.h"

namespace sheaf::volume {
namespace {

class SlotSpaces : public testing::Test {
  protected:
    explicit SlotSpaces(std::uint64_t most = 64 * chunk_size) { disk.set_capacity(most); }
    io::Task<void> take(int count) {
        for (; count > 0; --count) {
            const auto slot = co_await space.allocate();
            EXPECT_TRUE(taken.insert(slot).second) << slot;
        }
    }
    io::Task<void> punch(std::size_t keep) { punched = co_await space.punch(keep); }
    io::Task<void> finish() { co_await work.join(); }
    io::Task<void> give_up() {
        work.cancel();
        co_await work.join();
    }

    std::unique_ptr<io::SimLoop> loop = io::SimLoop::create(3).value();
    io::SimDisk disk{0, 4};
    File data = File::create(*loop, loop->open(disk).value()).value();
    io::TaskGroup work;
    SlotSpace space{work, data, {.segment = 8, .ahead = 4}, 0, 0};
    std::set<std::uint32_t> taken;
    std::size_t punched = 0;
};

TEST_F(SlotSpaces, GiveEachSlotToOneOnlyWhileTheyGrow) {
    EXPECT_TRUE(io::run(*loop, take(40)));
    EXPECT_EQ(taken.size(), 40u);
    EXPECT_TRUE(io::run(*loop, finish()));
    EXPECT_GE(disk.size(), 40 * chunk_size);
}

TEST_F(SlotSpaces, AreNotStarvedWhileTheyGrow) {
    io::TaskGroup waiting;
    waiting.start(take(1));
    EXPECT_TRUE(space.growing());
    EXPECT_TRUE(taken.empty());
    EXPECT_FALSE(space.starved());
    EXPECT_TRUE(io::run(*loop, finish()));
    EXPECT_EQ(taken.size(), 1u);
}

TEST_F(SlotSpaces, UseWhatWasGivenBackBeforeTheyGrow) {
    EXPECT_TRUE(io::run(*loop, take(10)));
    const auto end = space.end();
    taken.erase(3);
    space.release(3);
    EXPECT_TRUE(io::run(*loop, take(1)));
    EXPECT_TRUE(taken.contains(3));
    EXPECT_EQ(space.end(), end);
    EXPECT_TRUE(io::run(*loop, finish()));
}

TEST_F(SlotSpaces, GiveTheRoomOfFreeSlotsBackAndGetItAgainBeforeUse) {
    EXPECT_TRUE(io::run(*loop, take(10)));
    EXPECT_TRUE(io::run(*loop, finish()));
    const auto free = space.free_below_end();
    for (const auto slot : {2U, 3U, 4U, 7U}) {
        taken.erase(slot);
        space.release(slot);
    }
    EXPECT_TRUE(io::run(*loop, punch(1)));
    EXPECT_EQ(punched, 3 + free);
    EXPECT_EQ(space.free_with_room(), 1u);
    EXPECT_EQ(space.free_below_end(), 4 + free);
    EXPECT_TRUE(io::run(*loop, take(24)));
    EXPECT_TRUE(taken.contains(2) && taken.contains(3) && taken.contains(4) && taken.contains(7));
    EXPECT_TRUE(io::run(*loop, finish()));
}

TEST_F(SlotSpaces, KeepNoRoomBehindTheLastSlotOnceTrimmed) {
    EXPECT_TRUE(io::run(*loop, take(3)));
    EXPECT_TRUE(io::run(*loop, space.trim()));
    EXPECT_EQ(space.room(), space.end());
    EXPECT_TRUE(io::run(*loop, take(3)));
    EXPECT_GT(space.room(), space.end() - 1);
    EXPECT_TRUE(io::run(*loop, finish()));
}

class SmallDisk : public SlotSpaces {
  protected:
    SmallDisk() : SlotSpaces(8 * chunk_size) {}
    io::Task<void> fill_and_wait(bool& got_one) {
        co_await take(8);
        waiting.start(take_one(got_one));
        co_await loop->sleep(std::chrono::seconds{1});
        EXPECT_FALSE(got_one);
        EXPECT_TRUE(space.starved());
        taken.erase(5);
        space.release(5);
        EXPECT_TRUE(got_one);
        co_await waiting.join();
    }
    io::Task<void> take_one(bool& got_one) {
        co_await take(1);
        got_one = true;
    }
    io::TaskGroup waiting;
};

TEST_F(SmallDisk, WithoutRoomAWriterWaitsUntilASlotIsGivenBack) {
    auto got_one = false;
    EXPECT_TRUE(io::run(*loop, fill_and_wait(got_one)));
    EXPECT_TRUE(got_one);
    EXPECT_TRUE(io::run(*loop, give_up()));
}

}  // namespace
}  // namespace sheaf::volume

#include "storage/volume/intents.h"

#include <gtest/gtest.h>

#include "io/sim_loop.h"

namespace sheaf::volume {
namespace {

constexpr Id ours{4};
constexpr std::uint64_t regions = regions_per_page + 10;

class IntentsTest : public testing::Test {
  protected:
    IntentsTest() { disk.set_capacity(1 << 20); }

    io::Task<void> open(Intents::Marks marks = Intents::Marks::on_disk) {
        auto file = co_await File::create(*loop, std::move(*loop->open(disk)));
        intents = co_await Intents::open(work, std::move(file), ours, regions, marks);
    }
    io::Task<void> create() {
        auto file = co_await File::create(*loop, std::move(*loop->open(disk)));
        co_await Intents::create(std::move(file), ours, regions);
        co_await open();
    }
    io::Task<void> mark(std::uint64_t first, std::uint64_t end) {
        co_await intents->mark(first, end);
    }
    io::Task<void> settle() { co_await intents->settle(); }
    void run(io::Task<void> task) { EXPECT_TRUE(io::run(*loop, std::move(task))); }
    io::Task<void> finish() { co_await work.join(); }
    static io::Task<void> join(io::TaskGroup& group) { co_await group.join(); }
    // As if the process had ended and another had opened the file.
    void reopen(Intents::Marks marks = Intents::Marks::on_disk) {
        run(finish());
        intents.reset();
        run(open(marks));
    }
    void cut_power() {
        disk.power_cut();
        disk.power_on();
    }

    std::unique_ptr<io::SimLoop> loop = io::SimLoop::create(5).value();
    io::SimDisk disk{0, 6};
    io::TaskGroup work;
    std::unique_ptr<Intents> intents;
};

TEST_F(IntentsTest, AMarkSurvivesAPowerCutOnceItIsStable) {
    run(create());
    run(settle());
    EXPECT_FALSE(intents->stable(regions - 1));
    run(mark(3, 5));
    run(mark(regions - 1, regions));
    EXPECT_TRUE(intents->stable(3));
    run(finish());
    cut_power();
    reopen();
    EXPECT_EQ(intents->count(), 3u);
    EXPECT_EQ(intents->next_marked(0), 3u);
    EXPECT_EQ(intents->next_marked(5), regions - 1);
    EXPECT_EQ(intents->next_marked(regions), regions);
    run(finish());
}

TEST_F(IntentsTest, AMarkTakenBackIsNotReliedOnEvenBeforeTheDiskKnows) {
    run(create());
    run(mark(7, 8));
    intents->clear(7);
    EXPECT_FALSE(intents->stable(7));
    run(mark(7, 8));
    EXPECT_TRUE(intents->stable(7));
    run(finish());
    cut_power();
    reopen();
    EXPECT_TRUE(intents->marked(7));
    run(finish());
}

TEST_F(IntentsTest, MarksAheadGoWithOthersAndMayBeTakenBackMeanwhile) {
    run(create());
    run(settle());
    intents->mark_ahead(8, 10);
    io::TaskGroup marking;
    marking.start(mark(7, 8));
    intents->clear(9);
    run(join(marking));
    EXPECT_TRUE(intents->stable(7));
    EXPECT_TRUE(intents->stable(8));
    EXPECT_FALSE(intents->marked(9));
    run(finish());
}

TEST_F(IntentsTest, WhereNoVersionIsSoundEverythingIsMarked) {
    run(create());
    run(settle());
    run(settle());
    disk.flip_bit(100, 1);         // the first page, one home
    disk.flip_bit(4096 + 100, 1);  // and the other
    reopen();
    EXPECT_EQ(intents->count(), regions_per_page);
    EXPECT_FALSE(intents->marked(regions_per_page));
    EXPECT_FALSE(intents->stable(0));
    run(finish());
}

TEST_F(IntentsTest, OfACleanVolumeNothingIsReadUntilSomethingIsMarked) {
    run(create());
    run(mark(1, 2));
    disk.set_faults({.error = 1});
    reopen(Intents::Marks::none);
    EXPECT_EQ(intents->count(), 0u);
    EXPECT_EQ(intents->next_marked(0), regions);
    EXPECT_FALSE(intents->stable(1));
    disk.set_faults({});
    run(mark(3, 4));
    run(finish());
    cut_power();
    reopen();
    EXPECT_EQ(intents->count(), 1u);
    EXPECT_TRUE(intents->marked(3));
    run(finish());
}

// An old version that could not be read when the next was numbered must not count after it.
TEST_F(IntentsTest, NoMarkIsStableBeforeAVersionThatCouldNotBeReadIsGone) {
    run(create());
    for (int version = 0; version < 4; ++version) {
        run(mark(1, 2));
        intents->clear(1);
        run(settle());
    }
    reopen(Intents::Marks::none);
    disk.set_faults({.read_error = 1});
    run(mark(5, 6));
    EXPECT_TRUE(intents->stable(5));
    disk.set_faults({});
    run(finish());
    cut_power();
    reopen();
    EXPECT_TRUE(intents->marked(5));
    run(finish());
}

TEST_F(IntentsTest, AMarkThatCannotBeWrittenIsAnError) {
    run(create());
    run(settle());
    disk.set_faults({.error = 1});
    EXPECT_FALSE(io::run(*loop, mark(1, 2)));
    EXPECT_FALSE(intents->stable(1));
    disk.set_faults({});
    run(mark(1, 2));
    EXPECT_TRUE(intents->stable(1));
    run(finish());
}

}  // namespace
}  // namespace sheaf::volume

#include "storage/pool/pool.h"

#include <sys/statvfs.h>

#include "scratch_pool.h"
#include "storage/pool/layers.h"

namespace sheaf::pool {
namespace {

class Pools : public ScratchPool {};

TEST_F(Pools, WhatIsNoPoolIsRefusedAndLeftAlone) {
    put("file");
    std::filesystem::create_directory(folder / "empty");
    std::filesystem::create_directory(folder / "full");
    std::ofstream{folder / "full/letter"} << "dear";
    EXPECT_EQ(Pool::open("").error().kind(), Kind::invalid);
    EXPECT_EQ(Pool::open(folder / "none").error().kind(), Kind::not_found);
    EXPECT_EQ(Pool::open(folder / "empty").error().kind(), Kind::invalid);
    EXPECT_EQ(Pool::open(path() + "/file").error().kind(), Kind::invalid);
    EXPECT_EQ(Pool::open_or_make(folder / "full").error().kind(), Kind::invalid);
    EXPECT_EQ(Pool::open_or_make(folder / "none/none").error().kind(), Kind::not_found);
    EXPECT_FALSE(std::filesystem::exists(folder / "full/volumes"));
    EXPECT_TRUE(Pool::open_or_make(folder / "empty"));
    EXPECT_TRUE(Pool::open(folder / "empty"));
}

TEST_F(Pools, OneThatWasNotMadeToTheEndIsFinished) {
    std::filesystem::create_directories(folder / "half/volumes");
    EXPECT_FALSE(Pool::open(folder / "half"));
    EXPECT_TRUE(Pool::open_or_make(folder / "half"));
}

TEST_F(Pools, HaveTheirVolumesAndNoForeignFiles) {
    ASSERT_TRUE(create("b"));
    ASSERT_TRUE(create("a"));
    put("volumes/notes", "foreign");
    std::filesystem::create_directory(folder / "pool/volumes/not a volume");
    EXPECT_EQ(pool->names(Shelf::volumes).value(), (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(pool->names(Shelf::images)->empty());
}

TEST_F(Pools, AVolumeHasOneEngine) {
    ASSERT_TRUE(create("v"));
    const auto first = hold("v").value();
    ASSERT_TRUE(first.lock().begin_serving());
    const auto second = hold("v");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind(), Kind::conflict);
    EXPECT_EQ(second.error().text(),
              fmt::format("volume v: in use by process {} (sheaf test)", ::getpid()));
    EXPECT_FALSE(pool->try_hold(Shelf::volumes, "v", "test").value());
}

TEST_F(Pools, WhatDoesNotExistIsNotMade) {
    EXPECT_EQ(hold("none").error().kind(), Kind::not_found);
    EXPECT_EQ(hold("../volumes").error().kind(), Kind::invalid);
    EXPECT_TRUE(pool->names(Shelf::volumes)->empty());
}

TEST_F(Pools, TheRoomUpToTheHardStopIsNotForOthers) {
    struct statvfs status{};
    ASSERT_EQ(::statvfs(path().c_str(), &status), 0);
    const auto free = status.f_bavail * status.f_frsize;
    const auto keep_free = pool->options().growth.keep_free;
    ASSERT_GT(keep_free, 0u);
    if (free / 2 < keep_free) GTEST_SKIP() << "this file system is nearly full";
    EXPECT_TRUE(pool->check_room(0));
    EXPECT_EQ(pool->check_room(free - keep_free / 2).error().kind(), Kind::exhausted);
    EXPECT_EQ(pool->check_room(UINT64_MAX).error().kind(), Kind::exhausted);
}

TEST_F(Pools, WhatIsRemovedLeavesNothing) {
    const auto before = everything();
    ASSERT_TRUE(create("v"));
    ASSERT_TRUE(pool->remove(hold("v").value(), Shelf::volumes));
    EXPECT_EQ(everything(), before);
}

TEST_F(Pools, AForeignFileInAVolumeKeepsItFromBeingRemoved) {
    ASSERT_TRUE(create("v"));
    put("volumes/v/thesis.txt", "years");
    const auto removed = pool->remove(hold("v").value(), Shelf::volumes);
    EXPECT_NE(removed.error().text().find("volumes/v/thesis.txt is not Sheaf's"),
              std::string::npos);
    EXPECT_TRUE(hold("v"));
}

TEST_F(Pools, ATakenNameIsNotTakenAgain) {
    auto first = pool->begin(Shelf::volumes, "test").value();
    auto second = pool->begin(Shelf::volumes, "test").value();
    ASSERT_TRUE(pool->publish(first, Shelf::volumes, "v"));
    EXPECT_EQ(pool->publish(second, Shelf::volumes, "v").error().text(),
              "volume v: exists already");
    ASSERT_TRUE(pool->discard(second, Shelf::volumes));
    EXPECT_EQ(pool->names(Shelf::volumes).value(), std::vector<std::string>{"v"});
}

TEST_F(Pools, AnImageIsOnItsOwnShelf) {
    auto made = pool->begin(Shelf::images, "test").value();
    VolumeAbout about;
    about.source = "disk.qcow2";
    ASSERT_TRUE(pool->publish(made, Shelf::images, "debian", about));
    EXPECT_EQ(pool->names(Shelf::images).value(), std::vector<std::string>{"debian"});
    EXPECT_EQ(read_volume_about(made.directory())->source, "disk.qcow2");
    EXPECT_EQ(hold("debian").error().kind(), Kind::not_found);
}

// What a maker that dies leaves, at each of its steps, is swept by the next one; what one that
// lives is at is not.
class Sweeps : public ScratchPool {
  protected:
    // Ends a holding as a crash would: its lock goes, its files stay.
    static void crash(Result<Holding> held) { static_cast<void>(held.value()); }
    void sweep() {
        ASSERT_TRUE(create("sweeper"));
        ASSERT_TRUE(pool->remove(hold("sweeper").value(), Shelf::volumes));
    }
};

TEST_F(Sweeps, ALeftoverOfADeadMakerGoes) {
    const auto before = everything();
    crash(pool->begin(Shelf::volumes, "test"));
    auto made = pool->begin(Shelf::images, "test");
    ASSERT_TRUE(made->make_layer(Id{1}));
    crash(std::move(made));
    EXPECT_NE(everything(), before);
    sweep();
    EXPECT_EQ(everything(), before);
}

TEST_F(Sweeps, WhatALivingMakerIsAtStays) {
    auto made = pool->begin(Shelf::volumes, "test").value();
    ASSERT_TRUE(made.make_layer(Id{1}));
    sweep();
    EXPECT_TRUE(pool->publish(made, Shelf::volumes, "v"));
    EXPECT_TRUE(pool->layers().has(to_text(Id{1})).value());
}

TEST_F(Sweeps, ARemovalThatWasCutShortIsFinished) {
    const auto before = everything();
    ASSERT_TRUE(create("v"));
    const auto id = hold("v")->id();
    std::filesystem::rename(folder / "pool/volumes/v",
                            folder / "pool/volumes" / (".gone-" + to_text(id)));
    sweep();
    EXPECT_EQ(everything(), before);
}

TEST_F(Sweeps, ALayerThatAnotherHasStays) {
    ASSERT_TRUE(create("v"));
    const auto layer = layer_of("v");
    auto clone = pool->begin(Shelf::volumes, "test");
    ASSERT_TRUE(clone->claim(layer));
    crash(std::move(clone));
    sweep();
    EXPECT_TRUE(pool->layers().has(to_text(layer)).value());
    EXPECT_FALSE(hold("v")->shared(layer).value());
}

}  // namespace
}  // namespace sheaf::pool

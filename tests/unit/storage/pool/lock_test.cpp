#include "storage/pool/lock.h"

#include <unistd.h>

#include <atomic>
#include <thread>

#include "scratch_pool.h"

namespace sheaf::pool {
namespace {

class Locks : public ScratchPool {
  protected:
    Directory root = Directory::open(path()).value();
    Directory place = root.make_below("place").value();
};

TEST_F(Locks, OneEngineAVolumeAndItSaysWho) {
    EXPECT_FALSE(holder_of(place).value());
    auto first = VolumeLock::take(place, "run").value();
    ASSERT_TRUE(first);
    ASSERT_TRUE(first->begin_serving());
    EXPECT_FALSE(VolumeLock::take(place, "nbd").value());
    EXPECT_EQ(holder_of(place).value(), (Holder{::getpid(), "run"}));
    first.reset();
    EXPECT_FALSE(holder_of(place).value());
    EXPECT_TRUE(VolumeLock::take(place, "nbd").value());
}

TEST_F(Locks, ADuplicateHoldsItToo) {
    auto first = VolumeLock::take(place, "run").value();
    ASSERT_TRUE(first->begin_serving());
    auto passed = first->descriptor().duplicate().value();
    first.reset();
    EXPECT_TRUE(holder_of(place).value());
    passed.reset();
    EXPECT_FALSE(holder_of(place).value());
}

// Who asks while another begins or ends learns what came of it, not what was under way.
TEST_F(Locks, WhileAnEngineEndsOthersWaitForTheEnd) {
    auto first = VolumeLock::take(place, "run").value();
    ASSERT_TRUE(first->begin_serving());
    ASSERT_TRUE(first->end_serving());
    std::atomic<bool> asked = false;
    std::atomic<bool> got = false;
    {
        const std::jthread other{[&] {
            asked = true;
            got = VolumeLock::take(place, "nbd").value().has_value();
        }};
        while (!asked) std::this_thread::yield();
        first.reset();
    }
    EXPECT_TRUE(got);
}

// Under the pool's lock nobody waits for one who may be waiting for the pool's lock.
TEST_F(Locks, WhoOnlyLooksDoesNotWait) {
    auto first = VolumeLock::take(place, "run").value();
    EXPECT_FALSE(VolumeLock::take_if_free(place, "sweep").value());
    ASSERT_TRUE(first->begin_serving());
    EXPECT_FALSE(VolumeLock::take_if_free(place, "sweep").value());
    first.reset();
    EXPECT_TRUE(VolumeLock::take_if_free(place, "sweep").value());
}

TEST_F(Locks, TextThatIsNotOursNamesNobody) {
    auto first = VolumeLock::take(place, "run").value();
    ASSERT_TRUE(place.write_file("other", ""));
    ASSERT_EQ(::ftruncate(first->descriptor().get(), 0), 0);
    EXPECT_EQ(holder_of(place).value()->text(), "another process");
}

// It is put into sentences that a terminal shows.
TEST(HolderTexts, WhatNoLockSaysNamesNobody) {
    EXPECT_EQ(parse_holder(R"({"pid":12,"verb":"volume nbd"})"), (Holder{12, "volume nbd"}));
    for (const auto* text : {"", "{}", R"({"pid":-1,"verb":"run"})", R"({"pid":0,"verb":"run"})",
                             R"({"pid":12,"verb":"\u001b[2J"})", R"({"pid":12,"verb":"a\nb"})"})
        EXPECT_EQ(parse_holder(text), Holder{}) << text;
}

TEST_F(Locks, ThePoolsLockIsForOneAtATime) {
    std::atomic<int> inside = 0;
    std::atomic<bool> met = false;
    const auto enter = [&] {
        for (int i = 0; i < 100; ++i) {
            const auto lock = PoolLock::take(root).value();
            if (++inside != 1) met = true;
            --inside;
        }
    };
    {
        const std::jthread one{enter};
        const std::jthread two{enter};
    }
    EXPECT_FALSE(met);
}

}  // namespace
}  // namespace sheaf::pool

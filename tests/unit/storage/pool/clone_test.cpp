#include "storage/pool/clone.h"

#include "scratch_pool.h"
#include "storage/aligned_buffer.h"
#include "storage/pool/open_volume.h"

namespace sheaf::pool {
namespace {

constexpr std::uint64_t place = 1 << 20;

class PoolClones : public ScratchPool {
  protected:
    PoolClones() {
        EXPECT_TRUE(create("v"));
        EXPECT_TRUE(io::run(*loop, change("v", 1, "s")));
    }
    // Fills a piece of the volume with a value, and freezes it under a name unless that is empty.
    io::Task<void> change(std::string name, int value, std::string snapshot) {
        auto held = co_await hold(name);
        const auto opened = co_await OpenVolume::open(*loop, *pool, std::move(held), user);
        storage::AlignedBuffer buffer{1 << 20};
        std::ranges::fill(buffer.bytes(), static_cast<std::byte>(value));
        const iovec piece{buffer.bytes().data(), buffer.bytes().size()};
        co_await opened->engine().write(place, std::span{&piece, 1});
        if (!snapshot.empty()) co_await opened->engine().snapshot(snapshot);
        co_await opened->shut_down();
    }
    io::Task<void> look(std::string name, int& value) {
        auto held = co_await hold(name);
        const auto opened = co_await OpenVolume::open(*loop, *pool, std::move(held), user);
        storage::AlignedBuffer buffer{1 << 20};
        const iovec piece{buffer.bytes().data(), buffer.bytes().size()};
        co_await opened->engine().read(place, std::span{&piece, 1});
        value = std::to_integer<int>(buffer.bytes().front());
        EXPECT_EQ(std::ranges::count(buffer.bytes(), static_cast<std::byte>(value)), 1 << 20);
        co_await opened->shut_down();
    }
    int value_in(const std::string& name) {
        auto value = -1;
        const auto outcome = io::run(*loop, look(name, value));
        EXPECT_TRUE(outcome) << outcome.error().text();
        return value;
    }
    Result<void> clone(const std::string& name, std::uint64_t size = 0,
                       const Origin& origin = {Shelf::volumes, "v", "s"}) {
        const NewVolume wanted{.name = name, .size = size};
        return io::run(*loop, create_clone(*loop, *pool, wanted, origin));
    }
    void remove(const std::string& name) {
        EXPECT_TRUE(pool->remove(hold(name).value(), Shelf::volumes));
    }
    io::Task<void> clone_while_open(std::string name) {
        auto held = co_await hold("v");
        const auto opened = co_await OpenVolume::open(*loop, *pool, std::move(held), user);
        co_await opened->serve();
        const NewVolume wanted{.name = std::move(name)};
        const Origin origin{Shelf::volumes, "v", "s"};
        auto outcome = co_await create_clone(*loop, *pool, wanted, origin).result();
        co_await opened->shut_down();
        co_await std::move(outcome);
    }

    NoUser user;
};

TEST_F(PoolClones, BeginAsTheOriginAndGoTheirOwnWay) {
    ASSERT_TRUE(io::run(*loop, change("v", 2, {})));
    ASSERT_TRUE(clone("c"));
    EXPECT_EQ(value_in("c"), 1);
    ASSERT_TRUE(io::run(*loop, change("c", 3, {})));
    EXPECT_EQ(value_in("v"), 2);
    EXPECT_EQ(value_in("c"), 3);
}

TEST_F(PoolClones, AreMadeOfAVolumeThatIsInUse) {
    const auto outcome = io::run(*loop, clone_while_open("c"));
    ASSERT_TRUE(outcome) << outcome.error().text();
    EXPECT_EQ(value_in("c"), 1);
}

TEST_F(PoolClones, ShareTheLayersAndKeepThemWhenTheOriginGoes) {
    const auto before = pool->layers().names()->size();
    ASSERT_TRUE(clone("c"));
    ASSERT_TRUE(clone("d"));
    EXPECT_EQ(pool->layers().names()->size(), before + 2);
    remove("v");
    EXPECT_EQ(value_in("c"), 1);
    remove("c");
    EXPECT_EQ(value_in("d"), 1);
    remove("d");
    EXPECT_TRUE(pool->layers().names()->empty());
}

TEST_F(PoolClones, WhatCannotBeMadeLeavesNothing) {
    const auto before = everything();
    EXPECT_EQ(clone("v").error().kind(), Kind::exists);
    EXPECT_EQ(clone("a/b").error().kind(), Kind::invalid);
    EXPECT_EQ(clone("c", 8 << 20).error().kind(), Kind::invalid);
    EXPECT_EQ(clone("c", (16 << 20) + 1).error().kind(), Kind::invalid);
    EXPECT_EQ(clone("c", 0, {Shelf::volumes, "v", "none"}).error().kind(), Kind::not_found);
    EXPECT_EQ(clone("c", 0, {Shelf::volumes, "none", "s"}).error().kind(), Kind::not_found);
    EXPECT_EQ(clone("c", 0, {Shelf::images, "v", ""}).error().kind(), Kind::not_found);
    EXPECT_EQ(everything(), before);
    EXPECT_TRUE(clone("c", 32 << 20));
}

}  // namespace
}  // namespace sheaf::pool

#include "storage/pool/engine.h"

#include <sys/mount.h>
#include <unistd.h>

#include "base/defer.h"
#include "scratch_pool.h"
#include "storage/aligned_buffer.h"

namespace sheaf::pool {
namespace {

using volume::Volume;

class Engines : public ScratchPool {
  protected:
    io::Task<void> write_and_read_back() {
        const auto held = co_await hold("v");
        storage::AlignedBuffer buffer{1 << 20};
        const iovec piece{buffer.bytes().data(), buffer.bytes().size()};
        std::ranges::fill(buffer.bytes(), std::byte{0x5a});
        HeldLayers layers{held};
        auto engine = co_await open_volume(*loop, *pool, held, layers);
        co_await engine->write(4096, std::span{&piece, 1});
        co_await engine->shut_down();
        std::ranges::fill(buffer.bytes(), std::byte{0});
        engine = co_await open_volume(*loop, *pool, held, layers);
        co_await engine->read(4096, std::span{&piece, 1});
        EXPECT_EQ(std::ranges::count(buffer.bytes(), std::byte{0x5a}), 1 << 20);
        co_await engine->shut_down();
    }
};

TEST_F(Engines, WhatIsMadeCanBeOpenedWrittenAndReadAgain) {
    ASSERT_TRUE(create("v"));
    const auto outcome = io::run(*loop, write_and_read_back());
    EXPECT_TRUE(outcome) << outcome.error().text();
}

TEST_F(Engines, WhatCannotBeMadeLeavesNothing) {
    ASSERT_TRUE(create("v"));
    const auto before = everything();
    EXPECT_EQ(create("v").error().kind(), Kind::exists);
    EXPECT_EQ(create("a/b").error().kind(), Kind::invalid);
    EXPECT_EQ(create("zero", 0).error().kind(), Kind::invalid);
    EXPECT_EQ(create("odd", 4097).error().kind(), Kind::invalid);
    EXPECT_EQ(create("huge", std::uint64_t{64} << 50).error().kind(), Kind::invalid);
    EXPECT_EQ(everything(), before);
}

TEST_F(Engines, DamageNamesTheVolume) {
    ASSERT_TRUE(create("v"));
    const std::string nonsense(64 << 10, 'x');
    for (const auto* journal : {"volumes/v/journal.0", "volumes/v/journal.1"})
        put(journal, nonsense);
    const auto outcome = io::run(*loop, write_and_read_back());
    EXPECT_EQ(outcome.error().kind(), Kind::corrupt);
    EXPECT_TRUE(outcome.error().text().starts_with("volume v: ")) << outcome.error().text();
}

// Two volumes on a file system of their own, which becomes full.
class HardStop : public Engines {
  protected:
    static constexpr std::uint64_t room = 64 << 20;
    static constexpr std::uint64_t stop = room / 100 * 25;
    static constexpr std::uint64_t piece_size = 1 << 20;
    static constexpr std::uint64_t most_metadata = 2 << 20;  // which is not stopped

    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
        const auto options = fmt::format("size={},mode=0700", room);
        if (::mount("none", path().c_str(), "tmpfs", 0, options.c_str()) != 0)
            GTEST_SKIP() << "no tmpfs can be mounted here";
        mounted = true;
        pool = Pool::open_or_make(path()).value();
        put("pool.json", "{\"version\":1,\"hard_stop_percent\":25}");
        pool = Pool::open(path()).value();
        ASSERT_TRUE(create("one", 2 * room));
        ASSERT_TRUE(create("two", 2 * room));
    }
    void TearDown() override {
        pool.reset();
        if (mounted) ::umount2(path().c_str(), MNT_DETACH);
    }
    std::uint64_t free() const { return std::filesystem::space(path()).available; }

    io::Task<void> fill(Volume& engine, std::uint64_t& written) {
        storage::AlignedBuffer buffer{piece_size};
        const iovec piece{buffer.bytes().data(), buffer.bytes().size()};
        for (std::uint64_t place = 0; place < room; place += piece_size) {
            std::ranges::fill(buffer.bytes(), std::byte(place / piece_size + 1));
            co_await engine.write(place, std::span{&piece, 1});
            written = place + piece_size;
        }
    }
    io::Task<void> check(Volume& engine, std::uint64_t length) {
        storage::AlignedBuffer buffer{piece_size};
        const iovec piece{buffer.bytes().data(), buffer.bytes().size()};
        for (std::uint64_t place = 0; place < length; place += piece_size) {
            co_await engine.read(place, std::span{&piece, 1});
            const auto wanted = std::byte(place / piece_size + 1);
            EXPECT_EQ(std::ranges::count(buffer.bytes(), wanted),
                      static_cast<std::ptrdiff_t>(piece_size))
                << place;
        }
    }
    io::Task<void> fill_both_until_room_is_made() {
        const auto first = co_await hold("one");
        const auto second = co_await hold("two");
        auto options = pool->options();
        options.upkeep_interval = std::chrono::milliseconds{10};
        auto first_files = co_await first.open_files();
        auto second_files = co_await second.open_files();
        HeldLayers first_layers{first};
        HeldLayers second_layers{second};
        auto one = co_await Volume::open(*loop, std::move(first_files), first_layers, options);
        auto two = co_await Volume::open(*loop, std::move(second_files), second_layers, options);
        io::TaskGroup writers;
        std::uint64_t first_written = 0;
        std::uint64_t second_written = 0;
        writers.start(fill(*one, first_written));
        writers.start(fill(*two, second_written));
        // Both together want twice the file system: when neither gets on, both are at the stop.
        auto before = std::uint64_t{1};
        while (before != first_written + second_written) {
            before = first_written + second_written;
            co_await loop->sleep(std::chrono::milliseconds{200});
        }
        EXPECT_LT(first_written, room);
        EXPECT_LT(second_written, room);
        EXPECT_GT(first_written + second_written, room / 4);
        EXPECT_GE(free() + most_metadata, stop);
        EXPECT_LT(free(), stop + 2 * volume::chunk_size);
        EXPECT_EQ(writers.size(), 2u);
        // The file system grows, and both go on to their end.
        const auto larger = fmt::format("size={}", 4 * room);
        EXPECT_EQ(::mount("none", path().c_str(), "tmpfs", MS_REMOUNT, larger.c_str()), 0);
        co_await writers.join();
        co_await check(*one, room);
        co_await check(*two, room);
        co_await one->shut_down();
        co_await two->shut_down();
    }

    bool mounted = false;
};

TEST_F(HardStop, WritesWaitAtItAndGoOnWhenThereIsRoomAndNothingIsLost) {
    const auto outcome = io::run(*loop, fill_both_until_room_is_made());
    EXPECT_TRUE(outcome) << outcome.error().text();
}

}  // namespace
}  // namespace sheaf::pool

// What a power cut may do to a simulated disk, and what it may not.

#include "io/sim_disk.h"

#include <algorithm>
#include <set>

#include "io/task_group.h"
#include "world.h"

namespace sheaf::io {
namespace {

constexpr std::size_t sectors = 8;
constexpr std::size_t length = sectors * SimDisk::sector_size;

// Which value each of the first sectors holds; every sector is checked to be whole.
std::vector<int> values_of(const SimDisk& disk) {
    auto values = std::vector<int>{};
    for (auto sector = std::size_t{0}; sector < sectors; ++sector) {
        const auto bytes =
            disk.content().subspan(sector * SimDisk::sector_size, SimDisk::sector_size);
        EXPECT_TRUE(std::ranges::all_of(bytes, [&](auto byte) { return byte == bytes.front(); }));
        values.push_back(static_cast<int>(bytes.front()));
    }
    return values;
}

Task<void> write_all(Loop& loop, int fd, int value) {
    const auto bytes = std::vector<std::byte>(length, static_cast<std::byte>(value));
    co_await loop.write(fd, bytes, 0);
}

enum class Flush { none, completed };

Task<void> write_values(Loop& loop, int fd, std::vector<int> values, Flush flush_after_first) {
    for (const auto value : values) {
        co_await write_all(loop, fd, value);
        if (value == values.front() && flush_after_first == Flush::completed)
            co_await loop.fdatasync(fd);
    }
}

std::vector<int> after_power_cut(std::uint64_t seed, std::vector<int> values, Flush flush) {
    auto disk = SimDisk{1 << 16, seed};
    const auto loop = SimLoop::create(seed).value();
    const auto file = loop->open(disk).value();
    EXPECT_TRUE(run(*loop, write_values(*loop, file.get(), std::move(values), flush)));
    disk.power_cut();
    return values_of(disk);
}

TEST(SimDisk, WhatWasFlushedSurvives) {
    for (auto seed = std::uint64_t{0}; seed < 50; ++seed)
        EXPECT_EQ(after_power_cut(seed, {7}, Flush::completed), std::vector<int>(sectors, 7));
}

TEST(SimDisk, WhatWasNotFlushedIsOldOrAnyLaterWriteSectorBySector) {
    auto seen = std::set<int>{};
    auto torn = 0;
    auto lost = 0;
    for (auto seed = std::uint64_t{0}; seed < 200; ++seed) {
        const auto values = after_power_cut(seed, {1, 2, 3}, Flush::completed);
        seen.insert(values.begin(), values.end());
        torn += std::set<int>(values.begin(), values.end()).size() > 1;
        lost += std::ranges::count(values, 3) == 0;
    }
    EXPECT_EQ(seen, (std::set{1, 2, 3})) << "never what was there before the flush";
    EXPECT_GT(torn, 100);
    EXPECT_GT(lost, 0);
}

TEST(SimDisk, WithoutAFlushNothingIsCertain) {
    auto seen = std::set<int>{};
    for (auto seed = std::uint64_t{0}; seed < 50; ++seed) {
        const auto values = after_power_cut(seed, {5}, Flush::none);
        seen.insert(values.begin(), values.end());
    }
    EXPECT_EQ(seen, (std::set{0, 5}));
}

// A flush covers what was completed when it began, not what completes while it runs.
Task<void> flush_only(Loop& loop, int fd) {
    co_await loop.fdatasync(fd);
}

TEST(SimDisk, AFlushDoesNotCoverLaterWrites) {
    auto disk = SimDisk{1 << 16, 3};
    auto bytes = std::vector<std::byte>(length, std::byte{9});
    const auto buffer = iovec{bytes.data(), bytes.size()};
    const auto write = Request{.code = Request::Code::write, .single = buffer};
    auto survived = 0;
    for (auto round = 0; round < 20; ++round) {
        disk.power_on();
        std::ranges::fill(bytes, static_cast<std::byte>(round + 1));
        const auto flush = disk.begin({.code = Request::Code::fdatasync});
        EXPECT_EQ(disk.finish(disk.begin(write)), static_cast<int>(length));
        EXPECT_EQ(disk.finish(flush), 0);
        disk.power_cut();
        survived += std::ranges::count(values_of(disk), round + 1) == sectors;
    }
    EXPECT_LT(survived, 3) << "all eight sectors survive by chance once in 256 rounds";
}

TEST(SimDisk, DirectTransfersAreMadeOfSectors) {
    auto disk = SimDisk{1 << 16, 4};
    alignas(512) std::array<std::byte, 1024> memory{};
    const auto answer = [&](std::size_t skipped, std::size_t count, std::uint64_t offset) {
        const auto buffer = iovec{memory.data() + skipped, count};
        return disk.finish(
            disk.begin({.code = Request::Code::read, .offset = offset, .single = buffer}));
    };
    EXPECT_EQ(answer(16, 512, 8), 512);
    disk.demand_direct_transfers();
    EXPECT_EQ(answer(0, 512, 512), 512);
    EXPECT_EQ(answer(16, 512, 512), -EINVAL);
    EXPECT_EQ(answer(0, 500, 512), -EINVAL);
    EXPECT_EQ(answer(0, 512, 8), -EINVAL);
}

Task<void> write_into_the_cut(Loop& loop, int fd, Result<void>& outcome) {
    outcome = co_await write_all(loop, fd, 4).result();
}

Task<void> cut_power_later(Loop& loop, SimDisk& disk) {
    co_await loop.sleep(Duration{1});
    disk.power_cut();
}

Task<void> cut_during_write(Loop& loop, int fd, SimDisk& disk, Result<void>& outcome) {
    TaskGroup group;
    group.start(write_into_the_cut(loop, fd, outcome));
    group.start(cut_power_later(loop, disk));
    co_await group.join();
}

TEST(SimDisk, AWriteInFlightMayHaveReachedAnySector) {
    auto seen = std::set<int>{};
    for (auto seed = std::uint64_t{0}; seed < 50; ++seed) {
        auto disk = SimDisk{1 << 16, seed};
        const auto loop = SimLoop::create(seed).value();
        const auto file = loop->open(disk).value();
        auto outcome = Result<void>{};
        EXPECT_TRUE(run(*loop, cut_during_write(*loop, file.get(), disk, outcome)));
        EXPECT_FALSE(outcome) << "a write that the power cut met is never acknowledged";
        const auto values = values_of(disk);
        seen.insert(values.begin(), values.end());
        EXPECT_FALSE(run(*loop, write_all(*loop, file.get(), 1))) << "the power is off";
        EXPECT_EQ(values_of(disk), values);
        disk.power_on();
        EXPECT_TRUE(run(*loop, write_all(*loop, file.get(), 1)));
    }
    EXPECT_EQ(seen, (std::set{0, 4}));
}

TEST(SimDisk, AFailedWriteMayHaveReachedAnySectorAndAFailedFlushNothing) {
    auto seen = std::set<int>{};
    for (auto seed = std::uint64_t{0}; seed < 50; ++seed) {
        auto disk = SimDisk{1 << 16, seed, {.error = 1}};
        const auto loop = SimLoop::create(seed).value();
        const auto file = loop->open(disk).value();
        EXPECT_FALSE(run(*loop, write_all(*loop, file.get(), 6)));
        const auto values = values_of(disk);
        seen.insert(values.begin(), values.end());
        EXPECT_FALSE(run(*loop, flush_only(*loop, file.get())));
    }
    EXPECT_EQ(seen, (std::set{0, 6}));
}

Task<void> count_short(Loop& loop, int fd, int& short_ones) {
    const auto bytes = std::vector<std::byte>(length);
    for (auto round = 0; round < 100; ++round) {
        const auto written = co_await loop.write(fd, bytes, 0);
        EXPECT_GT(written, 0u);
        EXPECT_EQ(written % SimDisk::sector_size, 0u);
        short_ones += written < length;
    }
    const auto past = co_await loop.write(fd, bytes, 1 << 16).result();
    EXPECT_FALSE(past);
    if (!past) EXPECT_EQ(past.error().kind(), Kind::exhausted);
}

TEST(SimDisk, TransfersMayBeShort) {
    auto disk = SimDisk{1 << 16, 1, {.short_transfer = 0.5}};
    const auto loop = SimLoop::create(1).value();
    const auto file = loop->open(disk).value();
    auto short_ones = 0;
    EXPECT_TRUE(run(*loop, count_short(*loop, file.get(), short_ones)));
    EXPECT_GT(short_ones, 20);
    EXPECT_LT(short_ones, 80);
}

}  // namespace
}  // namespace sheaf::io

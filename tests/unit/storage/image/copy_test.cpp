#include "storage/image/copy.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/units.h"
#include "io/sim_loop.h"
#include "memory_disk.h"

namespace sheaf::image {
namespace {

// Takes what is stored after a while, some later than others.
class Slow final : public CopyTarget {
  public:
    Slow(io::Loop& loop, MemoryDisk& disk, std::uint64_t grain)
        : loop_(loop), disk_(disk), grain_(grain) {}

    std::uint64_t grain() const override { return grain_; }
    io::Task<void> store(std::uint64_t offset, std::span<std::byte> bytes) override {
        most_in_flight = std::max(most_in_flight, ++in_flight_);
        co_await loop_.sleep(std::chrono::microseconds{offset / 4096 % 7 * 100});
        --in_flight_;
        EXPECT_EQ(offset % grain_, 0u);
        EXPECT_TRUE(bytes.size() % grain_ == 0 || offset + bytes.size() == disk_.content.size());
        std::string copy{as_text(bytes)};
        const iovec piece{copy.data(), copy.size()};
        co_await disk_.write(offset, std::span{&piece, 1});
    }

    unsigned most_in_flight = 0;

  private:
    io::Loop& loop_;
    MemoryDisk& disk_;
    std::uint64_t grain_;
    unsigned in_flight_ = 0;
};

class Copies : public testing::Test {
  protected:
    Result<void> copy(MemoryDisk& from, MemoryDisk& to, std::uint64_t grain = 4096) {
        Slow target{*loop, to, grain};
        Copier copier{*loop, from, from, target,
                      [this](std::uint64_t done, std::uint64_t) { steps.push_back(done); }};
        auto outcome = io::run(*loop, copier.copy(0, from.content.size()));
        most_in_flight = target.most_in_flight;
        stored = copier.stored();
        return outcome;
    }

    std::unique_ptr<io::SimLoop> loop = io::SimLoop::create(1).value();
    std::vector<std::uint64_t> steps;
    unsigned most_in_flight = 0;
    std::uint64_t stored = 0;
};

TEST_F(Copies, WhatIsThereArrivesAndNothingElse) {
    MemoryDisk from{16_MiB + 512};
    MemoryDisk to{16_MiB + 512};
    from.content[0] = 'a';
    from.content.replace(1_MiB - 1, 2, "bc");  // over a border of pieces
    from.content.replace(5_MiB, 2_MiB, std::string(2_MiB, 'd'));
    from.content[16_MiB + 511] = 'e';
    ASSERT_TRUE(copy(from, to));
    EXPECT_TRUE(to.content == from.content);
    EXPECT_EQ(to.written, 4096u + 8192 + 2_MiB + 512);
    EXPECT_EQ(stored, to.written);
    EXPECT_TRUE(std::ranges::is_sorted(steps));
    EXPECT_EQ(steps.back(), 16_MiB + 512);
}

TEST_F(Copies, ZerosThatTakeSpaceStayBehind) {
    MemoryDisk from{4_MiB};
    MemoryDisk to{4_MiB};
    from.all_data = true;
    from.content.replace(8192, 3, "xyz");
    from.content.replace(16384, 4096, std::string(4096, 'x'));
    ASSERT_TRUE(copy(from, to));
    EXPECT_TRUE(to.content == from.content);
    EXPECT_EQ(to.written, 8192u);
    EXPECT_EQ(to.writes, 2u);
    EXPECT_EQ(from.reads, 4u);
}

TEST_F(Copies, LargerGrainsAreWholeAndStoredOnce) {
    MemoryDisk from{3_MiB + 4096};
    MemoryDisk to{3_MiB + 4096};
    for (std::uint64_t at = 0; at < from.content.size(); at += 24576) from.content[at] = 'x';
    ASSERT_TRUE(copy(from, to, 65536));
    EXPECT_TRUE(to.content == from.content);
    EXPECT_EQ(to.written, 3_MiB + 4096);
}

TEST_F(Copies, AtMostFourPiecesAreInFlight) {
    MemoryDisk from{32_MiB};
    MemoryDisk to{32_MiB};
    from.content.assign(32_MiB, 'x');
    ASSERT_TRUE(copy(from, to));
    EXPECT_EQ(most_in_flight, 4u);
    EXPECT_TRUE(to.content == from.content);
}

TEST_F(Copies, APieceIsABlockOfASourceThatPrefersLargeOnes) {
    MemoryDisk from{8_MiB};
    MemoryDisk to{8_MiB};
    from.preferred = 2_MiB;
    from.content.assign(8_MiB, 'x');
    ASSERT_TRUE(copy(from, to));
    EXPECT_EQ(from.reads, 4u);
}

TEST_F(Copies, AFailureOfEitherSideEndsItWithItsReason) {
    for (const auto broken : {0, 1}) {
        MemoryDisk from{64_MiB};
        MemoryDisk to{64_MiB};
        from.content.assign(64_MiB, 'x');
        (broken == 0 ? from : to).fails_at = 9_MiB;
        const auto outcome = copy(from, to);
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().text(), "told to fail");
        EXPECT_LT(from.reads, 20u);
    }
}

TEST_F(Copies, FewExtentsAtATimeAreEnough) {
    MemoryDisk from{4_MiB};
    MemoryDisk to{4_MiB};
    from.most_extents = 1;
    for (std::uint64_t at = 0; at < from.content.size(); at += 12288) from.content[at] = 'x';
    ASSERT_TRUE(copy(from, to));
    EXPECT_TRUE(to.content == from.content);
}

io::Task<void> cancel_soon(io::Loop& loop, io::TaskGroup& group) {
    co_await loop.sleep(std::chrono::microseconds{250});
    EXPECT_EQ(group.size(), 1u);
    group.cancel();
    co_await group.join();
}

TEST_F(Copies, ItCanBeCancelled) {
    MemoryDisk from{64_MiB};
    MemoryDisk to{64_MiB};
    from.content.assign(64_MiB, 'x');
    Slow target{*loop, to, 4096};
    Copier copier{*loop, from, from, target, {}};
    io::TaskGroup group;
    group.start(copier.copy(0, 64_MiB));
    ASSERT_TRUE(io::run(*loop, cancel_soon(*loop, group)));
    EXPECT_LT(to.written, 64_MiB);
}

}  // namespace
}  // namespace sheaf::image

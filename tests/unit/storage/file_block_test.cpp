#include "storage/file_block.h"

#include <array>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/units.h"
#include "io/pool_loop.h"
#include "io/task_group.h"
#include "io/uring_loop.h"
#include "scratch_file.h"
#include "scripted_loop.h"
#include "storage/aligned_buffer.h"

namespace sheaf::storage {
namespace {

std::span<std::byte> filled(const AlignedBuffer& buffer, char value) {
    std::ranges::fill(buffer.bytes(), static_cast<std::byte>(value));
    return buffer.bytes();
}
iovec piece(std::span<std::byte> bytes) {
    return {bytes.data(), bytes.size()};
}
std::unique_ptr<FileBlock> open(io::Loop& loop, const ScratchFile& file,
                                Access access = Access::read_write) {
    auto disk = FileBlock::create(loop, open_disk(file.path(), access).value());
    if (!disk) ADD_FAILURE() << disk.error().text();
    return *std::move(disk);
}
Kind kind_of(Result<void> outcome) {
    EXPECT_FALSE(outcome);
    return outcome ? Kind::io : outcome.error().kind();
}

// Every loop there is, on a disk and in memory.
using Place = std::tuple<io::LoopKind, std::string>;
class FileBlockPlaces : public testing::TestWithParam<Place> {
  protected:
    std::unique_ptr<io::Loop> loop = make();
    ScratchFile file{1_MiB, std::get<1>(GetParam())};

    static std::unique_ptr<io::Loop> make() {
        if (std::get<0>(GetParam()) == io::LoopKind::thread_pool)
            return io::PoolLoop::create().value();
        return io::UringLoop::create().value();
    }
    Result<void> run(io::Task<void> task) { return io::run(*loop, std::move(task)); }
};

INSTANTIATE_TEST_SUITE_P(All, FileBlockPlaces,
                         testing::Combine(testing::Values(io::LoopKind::io_uring,
                                                          io::LoopKind::thread_pool),
                                          testing::Values("/tmp", "/dev/shm")));

TEST_P(FileBlockPlaces, ReadsWhatWasWritten) {
    const auto disk = open(*loop, file);
    const AlignedBuffer buffer{12288};
    const auto bytes = filled(buffer, 'a');
    std::ranges::fill(bytes.subspan(512, 1024), std::byte{'b'});
    const std::array out{piece(bytes.first(512)), piece(bytes.subspan(512, 3584))};
    ASSERT_TRUE(run(disk->write(8192, out)));
    EXPECT_EQ(file.content(8192, 512), std::string(512, 'a'));
    EXPECT_EQ(file.content(8704, 1024), std::string(1024, 'b'));
    const std::array in{piece(bytes.subspan(4096, 4096))};
    ASSERT_TRUE(run(disk->read(8192, in)));
    EXPECT_TRUE(std::ranges::equal(bytes.first(4096), bytes.subspan(4096, 4096)));
}

TEST_P(FileBlockPlaces, TakesBuffersOfAnyAlignment) {
    const auto disk = open(*loop, file);
    const AlignedBuffer buffer{align_up(200 * 1024ul + 64, 4096ul)};
    const auto bytes = filled(buffer, 'x');
    // 200 KiB in two odd pieces: more than one bounce.
    const std::array out{piece(bytes.subspan(1, 777)), piece(bytes.subspan(778, 200 * 1024 - 777))};
    ASSERT_TRUE(run(disk->write(512, out)));
    EXPECT_EQ(file.content(512, 200 * 1024), std::string(200 * 1024, 'x'));
    EXPECT_EQ(file.content(512 + 200 * 1024, 1), std::string(1, '\0'));
    ASSERT_EQ(::pwrite(file.number(), "Y", 1, 512 + 777), 1);
    const std::array in{piece(bytes.subspan(3, 777)), piece(bytes.subspan(780, 200 * 1024 - 777))};
    ASSERT_TRUE(run(disk->read(512, in)));
    EXPECT_EQ(bytes[780], std::byte{'Y'});
    EXPECT_EQ(bytes[779], std::byte{'x'});
}

TEST_P(FileBlockPlaces, RefusesWhatIsNotOnTheDisk) {
    const auto disk = open(*loop, file);
    const AlignedBuffer buffer{4096};
    const std::array vectors{piece(buffer.bytes())};
    const std::array odd{piece(buffer.bytes().first(100))};
    EXPECT_EQ(kind_of(run(disk->read(1_MiB, vectors))), Kind::invalid);
    EXPECT_EQ(kind_of(run(disk->write(1_MiB - 512, vectors))), Kind::invalid);
    EXPECT_EQ(kind_of(run(disk->read(~std::uint64_t{511}, vectors))), Kind::invalid);
    EXPECT_EQ(kind_of(run(disk->read(100, vectors))), Kind::invalid);
    EXPECT_EQ(kind_of(run(disk->read(0, odd))), Kind::invalid);
    EXPECT_EQ(kind_of(run(disk->discard(1_MiB, 512))), Kind::invalid);
    EXPECT_EQ(kind_of(run(disk->zero(0, 2_MiB, Space::keep))), Kind::invalid);
    EXPECT_EQ(file.content(0, 1_MiB), std::string(1_MiB, '\0'));
}

TEST_P(FileBlockPlaces, ZeroesAndDiscards) {
    const auto disk = open(*loop, file);
    const AlignedBuffer buffer{65536};
    const std::array vectors{piece(filled(buffer, 'z'))};
    ASSERT_TRUE(run(disk->write(0, vectors)));
    ASSERT_TRUE(run(disk->zero(512, 8192, Space::keep)));
    ASSERT_TRUE(run(disk->zero(16384, 4096, Space::release)));
    ASSERT_TRUE(run(disk->discard(32768, 32768)));
    EXPECT_EQ(file.content(0, 512), std::string(512, 'z'));
    EXPECT_EQ(file.content(512, 8192), std::string(8192, '\0'));
    EXPECT_EQ(file.content(8704, 7680), std::string(7680, 'z'));
    EXPECT_EQ(file.content(16384, 4096), std::string(4096, '\0'));
    EXPECT_EQ(file.content(32768, 32768), std::string(32768, '\0'));
    ASSERT_TRUE(run(disk->flush()));
}

TEST_P(FileBlockPlaces, AReadOnlyDiskStaysAsItIs) {
    const auto disk = open(*loop, file, Access::read_only);
    EXPECT_TRUE(disk->geometry().read_only);
    EXPECT_EQ(disk->geometry().discard_granularity, 0u);
    const AlignedBuffer buffer{4096};
    const std::array vectors{piece(buffer.bytes())};
    EXPECT_TRUE(run(disk->read(0, vectors)));
    EXPECT_EQ(kind_of(run(disk->write(0, vectors))), Kind::denied);
    EXPECT_EQ(kind_of(run(disk->zero(0, 512, Space::keep))), Kind::denied);
    EXPECT_EQ(kind_of(run(disk->discard(0, 512))), Kind::denied);
}

TEST_P(FileBlockPlaces, NoticesAnotherSize) {
    const auto disk = open(*loop, file);
    EXPECT_FALSE(disk->refresh().value());
    ASSERT_TRUE(file.resize(2_MiB + 100));
    EXPECT_TRUE(disk->refresh().value());
    EXPECT_EQ(disk->geometry().size, 2_MiB);
    const AlignedBuffer buffer{4096};
    const std::array vectors{piece(buffer.bytes())};
    EXPECT_TRUE(run(disk->read(2_MiB - 4096, vectors)));
}

TEST_P(FileBlockPlaces, AFileThatShrankBehindItsBackIsAnError) {
    const auto disk = open(*loop, file);
    ASSERT_TRUE(file.resize(4096));
    const AlignedBuffer buffer{8192};
    const std::array vectors{piece(buffer.bytes())};
    EXPECT_EQ(kind_of(run(disk->read(0, vectors))), Kind::io);
}

class FileBlockScript : public testing::Test {
  protected:
    ScriptedLoop loop;
    ScratchFile file{1_MiB, "/dev/shm"};
    std::unique_ptr<FileBlock> disk = open(loop, file);
    AlignedBuffer buffer{65536};

    Result<void> run(io::Task<void> task) { return io::run(loop, std::move(task)); }
};

TEST_F(FileBlockScript, ContinuesTransfersThatWereCutShort) {
    const auto bytes = filled(buffer, 'q');
    bytes[40000] = std::byte{'!'};
    const std::array vectors{piece(bytes.first(4096)), piece(bytes.subspan(4096, 40960))};
    loop.most_bytes = 5000;
    ASSERT_TRUE(run(disk->write(4096, vectors)));
    EXPECT_EQ(loop.transfers, 10u);  // 5000 bytes become whole units of 512: 4608 each
    EXPECT_EQ(file.content(4096 + 40000, 2), "!q");
    std::ranges::fill(bytes, std::byte{0});
    ASSERT_TRUE(run(disk->read(4096, vectors)));
    EXPECT_EQ(bytes[40000], std::byte{'!'});
    EXPECT_EQ(bytes[45055], std::byte{'q'});
}

TEST_F(FileBlockScript, MovesMorePiecesThanTheKernelTakesAtOnce) {
    const auto bytes = filled(buffer, 'p');
    std::vector<iovec> many;
    for (int i = 0; i < 1500; ++i) many.push_back(piece(bytes.first(512)));
    ASSERT_TRUE(run(disk->write(0, many)));
    EXPECT_EQ(file.content(1500 * 512 - 512, 1024), std::string(512, 'p') + std::string(512, '\0'));
}

TEST_F(FileBlockScript, FlushesOnceForWhatWasWritten) {
    const std::array vectors{piece(buffer.bytes())};
    ASSERT_TRUE(run(disk->flush()));
    EXPECT_EQ(loop.flushes, 1u) << "who knows what was written before";
    ASSERT_TRUE(run(disk->flush()));
    EXPECT_EQ(loop.flushes, 1u);
    ASSERT_TRUE(run(disk->write(0, vectors)));
    ASSERT_TRUE(run(disk->flush()));
    EXPECT_EQ(loop.flushes, 2u);
    ASSERT_TRUE(run(disk->zero(0, 512, Space::keep)));
    ASSERT_TRUE(run(disk->flush()));
    ASSERT_TRUE(run(disk->discard(0, 512)));
    ASSERT_TRUE(run(disk->flush()));
    EXPECT_EQ(loop.flushes, 4u);
}

io::Task<void> both(io::Task<void> first, io::Task<void> second) {
    io::TaskGroup group;
    group.start(std::move(first));
    group.start(std::move(second));
    co_await group.join();
}

// The flush began before the write was over, so it may not cover it.
TEST_F(FileBlockScript, AWriteThatEndsDuringAFlushNeedsAnother) {
    ASSERT_TRUE(run(disk->flush()));
    const std::array vectors{piece(buffer.bytes())};
    ASSERT_TRUE(run(disk->write(0, vectors)));
    ASSERT_TRUE(run(both(disk->flush(), disk->write(0, vectors))));
    EXPECT_EQ(loop.flushes, 2u);
    ASSERT_TRUE(run(disk->flush()));
    EXPECT_EQ(loop.flushes, 3u);
}

TEST_F(FileBlockScript, AFlushThatFailedIsNeverForgotten) {
    loop.fdatasync_error = EIO;
    EXPECT_FALSE(run(disk->flush()));
    loop.fdatasync_error = 0;
    EXPECT_EQ(kind_of(run(disk->flush())), Kind::io);
    EXPECT_EQ(loop.flushes, 1u);
}

TEST_F(FileBlockScript, WritesZeroesWhereHolesCannotBeMade) {
    const std::array vectors{piece(filled(buffer, 'z'))};
    ASSERT_TRUE(run(disk->write(0, vectors)));
    loop.fallocate_error = EOPNOTSUPP;
    ASSERT_TRUE(run(disk->zero(512, 60000 / 512 * 512, Space::release)));
    EXPECT_EQ(loop.fallocates, 2u);
    EXPECT_EQ(file.content(0, 1024), std::string(512, 'z') + std::string(512, '\0'));
    EXPECT_EQ(file.content(60000 / 512 * 512, 1024),
              std::string(512, '\0') + std::string(512, 'z'));
    ASSERT_TRUE(run(disk->zero(0, 512, Space::keep)));
    ASSERT_TRUE(run(disk->discard(1024, 512)));
    EXPECT_EQ(loop.fallocates, 2u) << "what is lacking is not asked for again";
}

TEST_F(FileBlockScript, AFailedZeroIsAnError) {
    loop.fallocate_error = ENOSPC;
    EXPECT_EQ(kind_of(run(disk->zero(0, 512, Space::release))), Kind::exhausted);
}

}  // namespace
}  // namespace sheaf::storage

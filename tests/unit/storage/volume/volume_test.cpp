#include "storage/volume/volume.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <random>

#include <gtest/gtest.h>

#include "volume_fixture.h"

namespace sheaf::volume {
namespace {

TEST_F(Volumes, KeepWhatWasWrittenThroughEveryEnd) {
    create();
    open();
    auto across_chunks = pattern(700'000 / 512 * 512, 1);
    auto small = pattern(1024, 2);
    EXPECT_TRUE(write(130'048, across_chunks));
    EXPECT_TRUE(write(9 << 20, small));
    expect(130'048, across_chunks);
    expect(0, Bytes(130'048));
    shut_down();

    open();
    EXPECT_FALSE(volume->reconciling());
    expect(130'048, across_chunks);
    expect((9 << 20) - 512, Bytes(512));
    expect(9 << 20, small);
    auto again = pattern(8192, 3);
    EXPECT_TRUE(write(131'072, again));
    EXPECT_TRUE(run(volume->flush()));
    kill();

    open();
    EXPECT_TRUE(volume->reconciling());
    expect(131'072, again);
    expect(9 << 20, small);
    shut_down();
}

TEST_F(Volumes, GiveNeverWrittenAndDiscardedBlocksAsZeros) {
    create();
    open();
    auto bytes = pattern(1 << 20, 4);
    EXPECT_TRUE(write(0, bytes));
    EXPECT_TRUE(run(volume->discard(128 << 10, 256 << 10)));
    EXPECT_TRUE(run(volume->zero(512, 1024, storage::Space::release)));
    std::fill_n(bytes.begin() + (128 << 10), 256 << 10, std::byte{0});
    std::fill_n(bytes.begin() + 512, 1024, std::byte{0});
    expect(0, bytes);
    shut_down();
    open();
    expect(0, bytes);
    shut_down();
}

TEST_F(Volumes, NeverGiveOutABlockThatIsNotWhatWasWritten) {
    create();
    open();
    auto bytes = pattern(256 << 10, 5);
    EXPECT_TRUE(write(0, bytes));
    shut_down();
    const auto data = file("data", 0);
    const std::byte wrong{0x55};
    ASSERT_EQ(::pwrite(data.get(), &wrong, 1, 70'000), 1);
    open();
    const auto damaged = std::uint64_t{70'000} / 4096 * 4096;
    EXPECT_EQ(read(damaged, 4096).error().kind(), Kind::corrupt);
    EXPECT_EQ(read(0, bytes.size()).error().kind(), Kind::corrupt);
    expect(0, Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(damaged)));
    auto healed = pattern(4096, 6);
    EXPECT_TRUE(write(damaged, healed));
    expect(damaged, healed);
    shut_down();
}

TEST_F(Volumes, AreWhatTheirFormatSaysToAReaderThatIsNoPartOfSheaf) {
    create();
    open();
    Bytes whole(size);
    for (const auto offset : {std::size_t{0}, std::size_t{5'000'192}, size - 65'536}) {
        auto bytes = pattern(65'536, static_cast<unsigned>(offset + 12));
        std::ranges::copy(bytes, whole.begin() + static_cast<std::ptrdiff_t>(offset));
        EXPECT_TRUE(write(offset, bytes));
    }
    EXPECT_TRUE(run(volume->flush()));
    EXPECT_TRUE(read_independently() == whole);  // by the log
    EXPECT_TRUE(run(volume->discard(0, 32'768)));
    std::fill_n(whole.begin(), 32'768, std::byte{0});
    shut_down();
    EXPECT_TRUE(read_independently() == whole);  // by the map
    const std::byte wrong{0x55};
    const auto data = file("data", 0);
    ASSERT_EQ(::pwrite(data.get(), &wrong, 1, 40'000), 1);
    EXPECT_TRUE(read_independently().empty());
}

std::span<std::byte> shared_memory(std::size_t size) {
    auto* start = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(start, MAP_FAILED);
    return {static_cast<std::byte*>(start), size};
}

// Memory that another process writes into all the time, as a guest may.
class Scribbled {
  public:
    explicit Scribbled(std::size_t size) : bytes_(shared_memory(size)), child_(::fork()) {
        if (child_ != 0) return;
        for (std::mt19937 random{8};;) {
            auto* bytes = std::bit_cast<std::uint8_t*>(bytes_.data());
            std::atomic_ref{bytes[random() % bytes_.size()]}.store(
                static_cast<std::uint8_t>(random()), std::memory_order_relaxed);
        }
    }
    ~Scribbled() {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
        ::munmap(bytes_.data(), bytes_.size());
    }
    Scribbled(const Scribbled&) = delete;
    Scribbled& operator=(const Scribbled&) = delete;
    std::span<std::byte> bytes() const { return bytes_; }

  private:
    std::span<std::byte> bytes_;
    pid_t child_;
};

// mmap writeback and swap do this: the guest changes a page while it is on its way to the disk.
TEST_F(Volumes, TakeABufferThatIsScribbledOnWithoutFalseAlarm) {
    create();
    open();
    const Scribbled shared{1 << 20};
    const iovec piece{shared.bytes().data(), shared.bytes().size()};
    for (std::uint64_t turn = 0; turn < 20; ++turn)
        EXPECT_TRUE(run(volume->write(turn % 4 << 20, std::span{&piece, 1})));
    EXPECT_TRUE(read(0, 4 << 20));
    EXPECT_EQ(volume->counters().checksum_errors, 0u);
    // Read into such a buffer, too: what differs there is not the disk's fault.
    for (std::uint64_t turn = 0; turn < 20; ++turn)
        EXPECT_TRUE(run(volume->read(turn % 4 << 20, std::span{&piece, 1})));
    EXPECT_EQ(volume->counters().checksum_errors, 0u);
    shut_down();
}

TEST_F(Volumes, WithoutChecksumsAreRawDisksOfTheSameShape) {
    create(Checksums::off);
    open();
    auto bytes = pattern(300 << 10, 9);
    EXPECT_TRUE(write(4096, bytes));
    auto unaligned = pattern(512, 10);
    EXPECT_TRUE(write(512, unaligned));
    kill();
    open();
    EXPECT_TRUE(run(volume->flush()));
    shut_down();
}

// Nothing is flushed here: a chunk that was new, one that was not, and what became zeros.
TEST_F(Volumes, HaveWhatWasAnsweredAfterAKill) {
    create();
    open();
    auto before = pattern(256 << 10, 12);
    EXPECT_TRUE(write(0, before));
    EXPECT_TRUE(run(volume->flush()));
    auto fresh = pattern(300 << 10, 13);
    EXPECT_TRUE(write(5 << 20, fresh));
    auto over = pattern(4096, 14);
    EXPECT_TRUE(write(8192, over));
    EXPECT_TRUE(run(volume->zero(128 << 10, 128 << 10, storage::Space::release)));
    kill();
    open();
    expect(5 << 20, fresh);
    expect(8192, over);
    expect(128 << 10, Bytes(128 << 10));
    shut_down();
    open();
    expect(5 << 20, fresh);
    expect(128 << 10, Bytes(128 << 10));
    shut_down();
}

// The host may have lost what it had: what was only written counts for nothing.
TEST_F(Volumes, HaveWhatWasFlushedAfterTheHostWentDown) {
    create();
    open();
    auto flushed = pattern(128 << 10, 15);
    EXPECT_TRUE(write(0, flushed));
    EXPECT_TRUE(run(volume->flush()));
    auto fresh = pattern(128 << 10, 16);
    EXPECT_TRUE(write(4 << 20, fresh));
    EXPECT_TRUE(run(volume->zero(0, 128 << 10, storage::Space::release)));
    kill();
    boot = Id{8};
    open();
    expect(0, flushed);
    expect(4 << 20, Bytes(128 << 10));
    shut_down();
}

TEST_F(Volumes, TellTheLogMoreThanItHasRoomFor) {
    create();
    open();
    auto bytes = pattern(4096, 17);
    for (std::uint64_t block = 0; block < 1500; ++block) EXPECT_TRUE(write(block * 8192, bytes));
    EXPECT_GT(volume->counters().checkpoints, 0u);
    kill();
    open();
    for (std::uint64_t block = 0; block < 1500; ++block) expect(block * 8192, bytes);
    shut_down();
}

TEST_F(Volumes, RefuseWhatIsNoRequest) {
    create();
    open();
    Bytes bytes(512);
    EXPECT_EQ(write(100, bytes).error().kind(), Kind::invalid);
    EXPECT_EQ(write(size, bytes).error().kind(), Kind::invalid);
    EXPECT_EQ(write(~std::uint64_t{0} - 511, bytes).error().kind(), Kind::invalid);
    EXPECT_EQ(run(volume->discard(0, size + 512)).error().kind(), Kind::invalid);
    Bytes none;
    EXPECT_TRUE(write(0, none));
    EXPECT_TRUE(run(volume->discard(0, size)));
    shut_down();
}

TEST_F(Volumes, OfImpossibleSizesAreNotMade) {
    for (const auto wrong : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4095},
                             most_bytes + 4096, std::uint64_t{64} << 50}) {
        auto impossible = shape();
        impossible.size = wrong;
        const auto outcome = run(Volume::create(*loop, files(), impossible));
        EXPECT_EQ(outcome.error().kind(), Kind::invalid) << wrong;
    }
}

TEST_F(Volumes, ForeignAndTruncatedFilesAreRefused) {
    EXPECT_EQ(run(open_it()).error().kind(), Kind::io);  // empty
    create();
    const auto first = file("journal.0", 0);
    ASSERT_EQ(::ftruncate(first.get(), 100), 0);
    open();  // the other copy is whole
    shut_down();
    const auto second = file("journal.1", 0);
    ASSERT_EQ(::ftruncate(first.get(), 0), 0);
    ASSERT_EQ(::ftruncate(second.get(), 0), 0);
    const auto junk = pattern(65536, 11);
    ASSERT_EQ(::pwrite(first.get(), junk.data(), junk.size(), 0), 65536);
    ASSERT_EQ(::pwrite(second.get(), junk.data(), junk.size(), 0), 65536);
    EXPECT_EQ(run(open_it()).error().kind(), Kind::corrupt);
}

}  // namespace
}  // namespace sheaf::volume

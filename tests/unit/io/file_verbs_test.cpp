// Reads, writes, flushes and space of files, over every loop.

#include <algorithm>
#include <vector>

#include "io/pace.h"
#include "io/registered_memory.h"
#include "io/task_group.h"
#include "world.h"

namespace sheaf::io {
namespace {

class FileVerbs : public OverLoops {
  protected:
    Fd file_ = world_->file();
};
INSTANTIATE_TEST_SUITE_P(Io, FileVerbs, every_loop(), loop_name);

std::vector<std::byte> pattern(std::size_t length, unsigned seed) {
    auto bytes = std::vector<std::byte>(length);
    for (auto index = std::size_t{0}; index < length; ++index)
        bytes[index] = static_cast<std::byte>((index * 7 + seed * 31 + index / 256) & 0xff);
    return bytes;
}

Task<void> write_and_read_back(Loop& loop, int fd, Pace pace) {
    const auto written = pattern(8192, 1);
    EXPECT_EQ(co_await loop.write(fd, written, 4096, pace), written.size());
    auto read = std::vector<std::byte>(8192);
    EXPECT_EQ(co_await loop.read(fd, read, 4096, pace), read.size());
    EXPECT_EQ(read, written);
    co_await loop.fdatasync(fd, pace);
}

TEST_P(FileVerbs, WhatIsWrittenIsRead) {
    EXPECT_TRUE(run(loop_, write_and_read_back(loop_, file_.get(), Pace::may_wait)));
}

TEST_P(FileVerbs, AFileInMemoryIsServedByTheLoopItself) {
    if (!simulated()) {
        EXPECT_EQ(pace_of(file_.get()).value(), Pace::at_once);
    }
    EXPECT_TRUE(run(loop_, write_and_read_back(loop_, file_.get(), Pace::at_once)));
}

TEST(PaceOf, OnlyFilesInMemoryAnswerAtOnce) {
    const auto other = Fd{::open("/proc/self/stat", O_RDONLY | O_CLOEXEC)};
    EXPECT_EQ(pace_of(other.get()).value(), Pace::may_wait);
    EXPECT_EQ(pace_of(-1).error().os_error(), EBADF);
}

Task<void> scatter_and_gather(Loop& loop, int fd) {
    auto first = pattern(512, 2);
    auto second = pattern(1024, 3);
    const auto out = std::array{iovec{first.data(), first.size()}, iovec{second.data(), 1024}};
    EXPECT_EQ(co_await loop.write(fd, out, 512), 1536u);
    auto whole = std::vector<std::byte>(1536);
    const auto in = std::array{iovec{whole.data(), 1000}, iovec{whole.data() + 1000, 536}};
    EXPECT_EQ(co_await loop.read(fd, in, 512), 1536u);
    first.insert(first.end(), second.begin(), second.end());
    EXPECT_EQ(whole, first);
}

TEST_P(FileVerbs, SeveralBuffersAreOneRequest) {
    EXPECT_TRUE(run(loop_, scatter_and_gather(loop_, file_.get())));
}

Task<void> read_around_the_end(Loop& loop, int fd) {
    auto buffer = std::vector<std::byte>(4096);
    EXPECT_EQ(co_await loop.read(fd, buffer, World::file_size - 512), 512u);
    EXPECT_EQ(co_await loop.read(fd, buffer, World::file_size), 0u);
}

TEST_P(FileVerbs, TheEndCutsAReadShort) {
    EXPECT_TRUE(run(loop_, read_around_the_end(loop_, file_.get())));
}

Task<void> punch(Loop& loop, int fd, Pace pace) {
    co_await loop.write(fd, pattern(4096 * 3, 4), 0);
    co_await loop.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096, pace);
    auto buffer = std::vector<std::byte>(4096 * 3);
    co_await loop.read(fd, buffer, 0);
    const auto zeros = std::vector<std::byte>(4096);
    EXPECT_TRUE(std::equal(zeros.begin(), zeros.end(), buffer.begin() + 4096));
    EXPECT_FALSE(std::equal(zeros.begin(), zeros.end(), buffer.begin()));
    EXPECT_FALSE(std::equal(zeros.begin(), zeros.end(), buffer.begin() + 8192));
    const auto refused = co_await loop.fallocate(fd, 0, 0, 0, pace).result();
    EXPECT_FALSE(refused);
    if (!refused) EXPECT_EQ(refused.error().os_error(), EINVAL);
}

TEST_P(FileVerbs, APunchedHoleReadsZeros) {
    EXPECT_TRUE(run(loop_, punch(loop_, file_.get(), Pace::may_wait)));
    EXPECT_TRUE(run(loop_, punch(loop_, file_.get(), Pace::at_once)));
}

Task<void> read_nowhere(Loop& loop, bool& went_on) {
    auto buffer = std::array<std::byte, 16>{};
    const auto looked = co_await loop.read(-1, buffer, 0).result();
    EXPECT_FALSE(looked);
    if (!looked) EXPECT_EQ(looked.error().os_error(), EBADF);
    co_await loop.read(-1, buffer, 0);
    went_on = true;
}

TEST_P(FileVerbs, AnErrorEndsTheCallerOrIsLookedAt) {
    auto went_on = false;
    const auto outcome = run(loop_, read_nowhere(loop_, went_on));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::io);
    EXPECT_EQ(outcome.error().text(), "reading: Bad file descriptor");
    EXPECT_FALSE(went_on);
}

Task<void> write_block(Loop& loop, int fd, std::uint64_t block, Pace pace) {
    auto bytes = pattern(512, static_cast<unsigned>(block));
    co_await loop.write(fd, bytes, block * 512, pace);
    auto back = std::vector<std::byte>(512);
    co_await loop.read(fd, back, block * 512, pace);
    EXPECT_EQ(back, bytes);
}

Task<void> write_many(Loop& loop, int fd, int& most) {
    TaskGroup group;
    for (auto block = std::uint64_t{0}; block < 2000; ++block)
        group.start(write_block(loop, fd, block, block % 3 ? Pace::may_wait : Pace::at_once));
    most = static_cast<int>(group.size());
    co_await group.join();
}

TEST_P(FileVerbs, MoreInFlightThanTheKernelTakesAtOnce) {
    auto most = 0;
    EXPECT_TRUE(run(loop_, write_many(loop_, file_.get(), most)));
    EXPECT_EQ(most, 2000);
}

Task<void> write_and_read_back(Loop& loop, int fd, std::span<std::byte> buffer) {
    const auto bytes = pattern(512, 9);
    std::ranges::copy(bytes, buffer.begin());
    EXPECT_EQ(co_await loop.write(fd, buffer.first(512), 1024), 512u);
    EXPECT_EQ(co_await loop.read(fd, buffer.subspan(2048, 512), 1024), 512u);
    EXPECT_TRUE(std::ranges::equal(bytes, buffer.subspan(2048, 512)));
}

TEST_P(FileVerbs, RegisteredMemoryComesAndGoes) {
    std::vector<std::byte> memory(8192);
    const auto all = std::span{memory};
    {
        const auto first = RegisteredMemory::create(loop_, all.first(4096));
        EXPECT_EQ(bool{first}, loop_.kind() == LoopKind::io_uring);
        const auto second = RegisteredMemory::create(loop_, all.subspan(4096));
        EXPECT_TRUE(run(loop_, write_and_read_back(loop_, file_.get(), all.subspan(4096))));
        // Across both of them: in neither.
        EXPECT_TRUE(run(loop_, write_and_read_back(loop_, file_.get(), all.subspan(2048))));
    }
    EXPECT_TRUE(run(loop_, write_and_read_back(loop_, file_.get(), all)));
}

// The last finds no place, and does without.
TEST_P(FileVerbs, MoreMemoryThanCanBeRegistered) {
    std::vector<std::vector<std::byte>> memories(200, std::vector<std::byte>(4096));
    std::vector<RegisteredMemory> registered;
    for (auto& memory : memories) registered.push_back(RegisteredMemory::create(loop_, memory));
    EXPECT_FALSE(registered.back());
    for (auto* memory : {&memories.front(), &memories.back()})
        EXPECT_TRUE(run(loop_, write_and_read_back(loop_, file_.get(), *memory)));
    registered.erase(registered.begin());
    auto again = RegisteredMemory::create(loop_, memories.back());
    EXPECT_EQ(bool{again}, loop_.kind() == LoopKind::io_uring);
}

Task<void> cancel_writes(Loop& loop, int fd, Pace pace, Duration after, int& begun) {
    TaskGroup group;
    for (auto block = std::uint64_t{0}; block < 100; ++block)
        group.start(write_block(loop, fd, block, pace));
    begun = static_cast<int>(group.size());
    if (after > Duration::zero()) co_await loop.sleep(after);
    group.cancel();
    co_await group.join();
    EXPECT_TRUE(group.empty());
}

// At every stage: not submitted yet, with a worker, or just over.
TEST_P(FileVerbs, CancelledRequestsEndOneWayOrTheOther) {
    for (const auto pace : {Pace::may_wait, Pace::at_once}) {
        for (auto round = 0; round < 40; ++round) {
            auto begun = 0;
            const auto after = std::chrono::microseconds{round * 5};
            EXPECT_TRUE(run(loop_, cancel_writes(loop_, file_.get(), pace, after, begun)));
            EXPECT_EQ(begun, 100);
        }
    }
}

std::size_t cancel_and_pass(TaskGroup& group, std::size_t count) {
    group.cancel();
    return count;
}

// The operation still exists where its value is used, and is no longer to be cancelled.
Task<void> cancel_in_the_same_expression(Loop& loop, TaskGroup& group, int fd) {
    auto buffer = std::array<std::byte, 512>{};
    EXPECT_EQ(cancel_and_pass(group, co_await loop.read(fd, buffer, 0)), 512u);
}

Task<void> join_a_self_canceller(Loop& loop, int fd) {
    TaskGroup group;
    group.start(cancel_in_the_same_expression(loop, group, fd));
    co_await group.join();
}

TEST_P(FileVerbs, WhatIsOverIsNotCancelled) {
    EXPECT_TRUE(run(loop_, join_a_self_canceller(loop_, file_.get())));
}

}  // namespace
}  // namespace sheaf::io

#include "storage/volume/journal.h"

#include <gtest/gtest.h>

#include "io/sim_loop.h"
#include "io/task_group.h"

namespace sheaf::volume {
namespace {

constexpr Id ours{8};

ChunkRecord record_of(std::uint32_t chunk) {
    return {.header = {static_cast<std::uint16_t>(RecordType::chunk), sizeof(ChunkRecord)},
            .layer = 1,
            .chunk = chunk,
            .slot = chunk,
            .states = 2,
            .file = 0,
            .reserved = 0};
}

class Journals : public testing::Test {
  protected:
    Journals() {
        for (auto& disk : disks) disk.set_capacity(4 << 20);
    }
    Journal::Files files() {
        return {File::create(*loop, *loop->open(disks[0])).value(),
                File::create(*loop, *loop->open(disks[1])).value()};
    }
    static Superblock superblock() {
        Superblock superblock{};
        superblock.size = 1 << 20;
        superblock.block_size = block_size;
        superblock.chunk_size = chunk_size;
        superblock.region_size = region_size;
        superblock.log_pages = 4;
        superblock.log_first = 1;
        superblock.head = 1;
        return superblock;
    }
    io::Task<void> commit(Superblock wanted, std::size_t layers) {
        std::vector<LayerEntry> entries(layers);
        for (std::size_t i = 0; i < layers; ++i)
            entries[i].number = static_cast<std::uint32_t>(i + 1);
        const auto prepared = co_await journal->prepare(wanted, std::move(entries));
        co_await journal->commit(prepared);
    }
    io::Task<void> make() {
        journal = Journal::create(files(), ours, superblock());
        co_await commit(superblock(), 1);
    }
    // Opens it and reads the whole log.
    io::Task<void> open() {
        journal = co_await Journal::open(files());
        replayed.clear();
        alignas(page_size) std::array<std::byte, page_size> page;
        while (true) {
            const auto more = co_await journal->replay(page);
            if (!more) break;
            RecordReader reader{page};
            const auto record = co_await reader.next();
            replayed.push_back(load<ChunkRecord>(record).chunk);
        }
        journal->begin_incarnation();
    }
    io::Task<void> append(std::uint32_t chunk) {
        LogBatch batch;
        batch.add(record_of(chunk));
        co_await journal->append(batch);
    }
    void run(io::Task<void> task) {
        const auto outcome = io::run(*loop, std::move(task));
        EXPECT_TRUE(outcome) << outcome.error().text();
    }
    // The first page of the log is page 2.
    void damage(unsigned copy, unsigned page) {
        disks.at(copy).flip_bit(page * page_size + 200, 3);
    }

    std::unique_ptr<io::SimLoop> loop = io::SimLoop::create(9).value();
    std::array<io::SimDisk, 2> disks{io::SimDisk{0, 10}, io::SimDisk{0, 11}};
    std::unique_ptr<Journal> journal;
    std::vector<std::uint32_t> replayed;
};

using Chunks = std::vector<std::uint32_t>;

TEST_F(Journals, ReplayWhatWasAppended) {
    run(make());
    for (std::uint32_t chunk = 10; chunk < 13; ++chunk) run(append(chunk));
    run(open());
    EXPECT_EQ(replayed, (Chunks{10, 11, 12}));
    EXPECT_EQ(journal->owner(), ours);
}

TEST_F(Journals, RefuseMoreThanTheLogHoldsAndGoRoundAfterACommit) {
    run(make());
    for (std::uint32_t chunk = 0; chunk < 4; ++chunk) run(append(chunk));
    EXPECT_EQ(journal->pages_free(), 0u);
    EXPECT_EQ(io::run(*loop, append(4)).error().kind(), Kind::exhausted);
    auto later = journal->superblock();
    later.log_first = journal->position().next - 1;
    // The page before the first that counts, page 3 of four.
    run(open());
    later.log_previous = 0;
    later.log_first = journal->position().next;
    later.log_previous = journal->position().previous;
    run(commit(later, 1));
    run(append(20));
    run(append(21));
    run(open());
    EXPECT_EQ(replayed, (Chunks{20, 21}));
}

TEST_F(Journals, LoseNothingWithEitherCopyDamagedAnywhere) {
    run(make());
    run(append(1));
    run(append(2));
    damage(0, 0);
    damage(0, 1);
    damage(1, 2);
    damage(0, 3);
    run(open());
    EXPECT_EQ(replayed, (Chunks{1, 2}));
}

TEST_F(Journals, EndWhereBothCopiesAreDamaged) {
    run(make());
    for (std::uint32_t chunk = 0; chunk < 3; ++chunk) run(append(chunk));
    damage(0, 4);  // sequence 2 lies at 2 + 2 mod 4
    damage(1, 4);
    run(open());
    EXPECT_EQ(replayed, Chunks{0});
}

// A page of a log that was cut off must not follow the pages written in its place.
TEST_F(Journals, DoNotTakeUpAPageThatBelongedToAnEarlierLog) {
    run(make());
    for (std::uint32_t chunk = 0; chunk < 3; ++chunk) run(append(chunk));
    damage(0, 4);
    damage(1, 4);
    run(open());
    run(append(50));
    run(open());
    EXPECT_EQ(replayed, (Chunks{0, 50}));
}

TEST_F(Journals, DoNotTakeUpWhatAFailedAppendLeftOnceACheckpointHasPassedIt) {
    run(make());
    disks[0].set_faults({.error = 1});  // the other copy gets it
    EXPECT_FALSE(io::run(*loop, append(66)));
    disks[0].set_faults({});
    auto later = journal->superblock();
    later.log_incarnation = journal->incarnation();
    run(commit(later, 1));
    run(open());
    EXPECT_EQ(replayed, Chunks{});
}

// The first attempt reached one copy only, the second one only the other.
TEST_F(Journals, PreferWhatWasWrittenAgainToWhatHadFailed) {
    run(make());
    disks[1].set_faults({.error = 1});
    EXPECT_FALSE(io::run(*loop, append(66)));
    disks[1].set_faults({});
    disks[0].set_faults({.lost = 1});
    run(append(67));
    disks[0].set_faults({});
    run(append(68));
    run(open());
    EXPECT_EQ(replayed, (Chunks{67, 68}));
}

TEST_F(Journals, KeepATableOfAnyLength) {
    run(make());
    run(commit(superblock(), 1000));
    run(commit(superblock(), 1001));
    run(open());
    ASSERT_EQ(journal->layers().size(), 1001u);
    EXPECT_EQ(journal->layers().back().number, 1001u);
    run(commit(superblock(), 3));
    run(open());
    EXPECT_EQ(journal->layers().size(), 3u);
}

TEST_F(Journals, OfANewerProgramAreRefused) {
    run(make());
    auto newer = superblock();
    newer.features = 0x80;
    run(commit(newer, 1));
    EXPECT_EQ(io::run(*loop, open()).error().kind(), Kind::unsupported);
}

}  // namespace
}  // namespace sheaf::volume

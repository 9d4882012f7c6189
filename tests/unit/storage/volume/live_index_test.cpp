#include "storage/volume/live_index.h"

#include <gtest/gtest.h>

#include "io/sim_loop.h"

namespace sheaf::volume {
namespace {

class LiveIndices : public testing::Test {
  protected:
    std::unique_ptr<Layer> layer() {
        return std::make_unique<Layer>(LayerEntry{}, file(), file(), cache);
    }
    File file() { return File::create(*loop, loop->open(disk).value()).value(); }
    std::unique_ptr<LiveIndex::Page> page_of(Layer& owner) const {
        auto page = std::make_unique<LiveIndex::Page>();
        for (auto& chunk : page->chunks) chunk.set(all_blocks, &owner);
        return page;
    }
    void keep(std::uint64_t number) {
        LiveIndex::Lookup lookup{index, number};
        lookup.keep(page_of(*below));
    }

    io::SimDisk disk{4096, 1};
    std::unique_ptr<io::SimLoop> loop = io::SimLoop::create(1).value();
    PageCache cache{4};
    std::unique_ptr<Layer> head = layer();
    std::unique_ptr<Layer> below = layer();
    LiveIndex index{2 * LiveIndex::known_page_bytes + LiveIndex::mixed_bytes};
};

TEST_F(LiveIndices, KnowWhatTheHeadHasCoveredSince) {
    keep(3);
    SlotEntry entry{};
    entry.set_state(5, BlockState::data);
    entry.set_state(6, BlockState::zero);
    index.head_changed(*head, 3 * chunks_per_page + 1, entry);
    const auto* page = index.find(3);
    ASSERT_NE(page, nullptr);
    EXPECT_EQ(page->chunks[0].owner(5), below.get());
    EXPECT_EQ(page->chunks[1].owner(4), below.get());
    EXPECT_EQ(page->chunks[1].owner(5), head.get());
    EXPECT_EQ(page->chunks[1].owner(6), head.get());
}

TEST_F(LiveIndices, KeepTheOnesUsedLast) {
    keep(1);
    keep(2);
    EXPECT_NE(index.find(1), nullptr);
    keep(3);
    EXPECT_NE(index.find(1), nullptr);
    EXPECT_EQ(index.find(2), nullptr);
    index.forget(1);
    EXPECT_EQ(index.find(1), nullptr);
    index.clear();
    EXPECT_EQ(index.find(3), nullptr);
}

// A page of which the head comes to have some blocks takes the room of others.
TEST_F(LiveIndices, CountWhatChunksOfSeveralLayersTake) {
    keep(1);
    keep(2);
    SlotEntry entry{};
    entry.set_state(0, BlockState::data);
    index.head_changed(*head, 2 * chunks_per_page, entry);
    EXPECT_NE(index.find(1), nullptr);
    EXPECT_NE(index.find(2), nullptr);
    index.head_changed(*head, 2 * chunks_per_page + 1, entry);
    EXPECT_EQ(index.find(1), nullptr);
    EXPECT_NE(index.find(2), nullptr);
    for (unsigned block = 1; block < blocks_per_chunk; ++block)
        entry.set_state(block, BlockState::data);
    index.head_changed(*head, 2 * chunks_per_page, entry);
    index.head_changed(*head, 2 * chunks_per_page + 1, entry);
    keep(1);
    EXPECT_NE(index.find(1), nullptr);
    EXPECT_NE(index.find(2), nullptr);
}

// What changed while it was looked up may be missing from what was found.
TEST_F(LiveIndices, DoNotKeepWhatChangedMeanwhile) {
    LiveIndex::Lookup lookup{index, 7};
    index.head_changed(*head, 7 * chunks_per_page, SlotEntry{});
    lookup.keep(page_of(*below));
    EXPECT_EQ(index.find(7), nullptr);
    LiveIndex::Lookup other{index, 8};
    index.clear();
    other.keep(page_of(*below));
    EXPECT_EQ(index.find(8), nullptr);
}

TEST_F(LiveIndices, AreOfOneOwnerAgainWhenAllBlocksAre) {
    LiveIndex::Chunk chunk;
    for (unsigned block = 0; block < blocks_per_chunk; ++block) {
        EXPECT_EQ(chunk.unowned(), all_blocks << block);
        chunk.set(std::uint32_t{1} << block, head.get());
        EXPECT_EQ(chunk.owner(block), head.get());
        EXPECT_EQ(chunk.mixed(), block + 1 < blocks_per_chunk);
        EXPECT_EQ(chunk.owner(blocks_per_chunk - 1),
                  block + 1 < blocks_per_chunk ? nullptr : head.get());
    }
    EXPECT_EQ(chunk.unowned(), 0u);
}

TEST_F(LiveIndices, SetNothingWhereThereIsNothingToSet) {
    LiveIndex::Chunk chunk;
    chunk.set(0, head.get());
    EXPECT_EQ(chunk.unowned(), all_blocks);
    chunk.set(all_blocks, below.get());
    chunk.set(0b101, head.get());
    chunk.set(0, below.get());
    EXPECT_EQ(chunk.owner(0), head.get());
    EXPECT_EQ(chunk.owner(1), below.get());
    chunk.set(all_blocks, head.get());
    EXPECT_FALSE(chunk.mixed());
}

TEST(SlotEntries, TellWhichBlocksTheyHave) {
    SlotEntry entry{};
    EXPECT_EQ(entry.present(), 0u);
    entry.set_state(0, BlockState::zero);
    entry.set_state(9, BlockState::data);
    entry.set_state(31, BlockState::data);
    EXPECT_EQ(entry.present(), 1u | 1u << 9 | 1u << 31);
}

}  // namespace
}  // namespace sheaf::volume

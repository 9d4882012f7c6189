#pragma once

// Why: reading is the same for the volume, for its snapshots and for merging: find which layer has
// each block, read what lies together at once, and give out nothing that is not what was written.

#include <array>
#include <optional>

#include "storage/extents.h"
#include "storage/volume/layer_stack.h"
#include "storage/volume/live_index.h"
#include "storage/volume/region_set.h"

namespace sheaf::volume {

// Who holds a block, seen from above.
struct BlockOwner {
    Layer* layer = nullptr;  // null: nobody; it is zeros
    BlockState state = BlockState::absent;
    std::uint32_t slot = no_slot;
    std::optional<std::uint32_t> checksum;  // where it is data that must have this one

    bool is_data() const { return state == BlockState::data; }
};
using ChunkOwners = std::array<BlockOwner, blocks_per_chunk>;

// The layers that are looked at: from `top` down to the one above `end`; null: to the last.
struct LayerSpan {
    Layer* top;
    const Layer* end = nullptr;
};

// Loop thread only; what the constructor is given outlives it.
class LayerReader {
  public:
    struct Parts {
        LayerStack& stack;
        RangeLock& blocks;
        const RegionSet& untrusted;  // regions of the head whose checksums are not right
        Counters& counters;
    };
    LayerReader(Parts parts, std::size_t most_index_bytes)
        : stack_(parts.stack),
          blocks_(parts.blocks),
          untrusted_(parts.untrusted),
          counters_(parts.counters),
          index_(most_index_bytes) {}

    // Whether the head's blocks have checksums; what is frozen says so itself.
    void set_checksums(bool checksums) { checksums_ = checksums; }

    // Bytes from `offset` on, in sectors: of a snapshot, or of the head as it is when the blocks
    // are held. Fails with corrupt where one is not what was written.
    io::Task<void> read_bytes(Layer* snapshot, std::uint64_t offset, std::span<const iovec> into);
    // As Extents has it, of the same.
    io::Task<std::vector<storage::Extent>> extents(Layer* snapshot, std::uint64_t offset,
                                                   std::uint64_t length, std::size_t most,
                                                   const Layer* below = nullptr);

    // For these the caller holds the blocks.
    // The blocks of one chunk whose bit is set in `wanted`; of others nothing is said.
    io::Task<ChunkOwners> owners(LayerSpan layers, std::uint64_t chunk, std::uint32_t wanted);
    // Blocks from `first` on, as many as `into` has room for, which is aligned to 512 bytes.
    io::Task<void> read(LayerSpan layers, std::uint64_t first, std::span<const iovec> into);
    // Blocks of one chunk, as owners() has them; `into` has room for the whole chunk.
    io::Task<void> read_chunk(const ChunkOwners& owners, std::uint64_t chunk,
                              std::span<std::byte> into);

    // The first page at or after `page`, before `end`, of which one of the layers may say
    // something.
    static io::Task<std::uint64_t> next_present(LayerSpan layers, std::uint64_t page,
                                                std::uint64_t end);
    // Who owns what is looked up once and then kept up to date.
    LiveIndex& index() { return index_; }

  private:
    using LiveOwners = std::array<Layer*, blocks_per_chunk>;
    using Checksum = std::optional<std::uint32_t>;  // none: is not to be checked
    struct Run;
    struct Piece;
    class Plan;

    io::Task<LiveOwners> live_owners(std::uint64_t chunk);
    io::Task<ChunkOwners> owners_by_index(std::uint64_t chunk, std::uint32_t wanted);
    void fill_in(ChunkOwners& owners, Layer& layer, const SlotEntry& entry, std::uint64_t chunk,
                 std::uint32_t blocks) const;
    std::optional<Run> find_in_memory(LayerSpan layers, std::uint64_t first, std::uint64_t end,
                                      std::span<Checksum> checksums);
    io::Task<void> read_run(Run run, std::span<const iovec> vectors);
    io::Task<void> read_again(Run run, std::uint64_t block, std::span<const iovec> into);
    Checksum checksum(const Layer& layer, const SlotEntry& entry, std::uint64_t chunk,
                      unsigned block) const;

    LayerStack& stack_;
    RangeLock& blocks_;
    const RegionSet& untrusted_;
    Counters& counters_;
    LiveIndex index_;
    bool checksums_ = true;
};

}  // namespace sheaf::volume

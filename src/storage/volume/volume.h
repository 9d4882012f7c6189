#pragma once

// Why: the disk that Sheaf keeps itself. Content is checked whenever it is read; a completed flush
// survives a power cut at any instant; space is taken when it is first written. How it lies on the
// host's disk is docs/formats/volume.md; how the parts work together is this folder's README.

#include <unordered_map>

#include "storage/block.h"
#include "storage/buffer_pool.h"
#include "storage/extents.h"
#include "storage/volume/checkpoints.h"
#include "storage/volume/custody.h"
#include "storage/volume/intents.h"
#include "storage/volume/layer_reader.h"
#include "storage/volume/layer_stack.h"
#include "storage/volume/layer_store.h"
#include "storage/volume/merger.h"
#include "storage/volume/restacking.h"
#include "storage/volume/upkeep.h"
#include "storage/volume/view.h"

namespace sheaf::volume {

// The caller holds the volume's lock. Loop thread only.
class Volume final : public storage::Block, public storage::Extents {
  public:
    // Makes a new volume in `files`, which are empty and of which `layers` has the head.
    static io::Task<void> create(io::Loop& loop, Files files, Shape shape);
    // Fails with corrupt or unsupported where the files are not a sound volume, naming which part.
    // The files of layers that the volume does not have are closed.
    static io::Task<std::unique_ptr<Volume>> open(io::Loop& loop, Files files, LayerStore& store,
                                                  Options options);
    // After shut_down() or abandon(), and after its views.
    ~Volume() override = default;
    // Nothing is asked of it any more: makes everything stable and says that it was closed cleanly.
    // Where that fails the next open() recovers, as after a crash.
    io::Task<void> shut_down();
    // Ends everything that runs, without writing anything more.
    io::Task<void> abandon();
    // Block. A write waits for room. Fails with corrupt where a block is not what was written.
    storage::Geometry geometry() const override;
    io::Task<void> read(std::uint64_t offset, std::span<const iovec> vectors) override;
    io::Task<void> write(std::uint64_t offset, std::span<const iovec> vectors) override;
    io::Task<void> flush() override { return stable_.flush(); }
    io::Task<void> discard(std::uint64_t offset, std::uint64_t length) override;
    io::Task<void> zero(std::uint64_t offset, std::uint64_t length, storage::Space space) override;
    io::Task<std::vector<storage::Extent>> extents(std::uint64_t offset, std::uint64_t length,
                                                   std::size_t most) override;

    // What changes the stack, in restacking.cpp. After a failure the change may come to be
    // all the same. Names: 1 to 63 of a-z, 0-9, '.' and '-'; else invalid, exists or not_found.
    // Freezes the content as it is at one point of the order of writes, and makes it stable.
    io::Task<void> snapshot(std::string name) { return restacking_.snapshot(std::move(name)); }
    // Ends when that is recorded. What only it had is given back by merging, which goes on behind
    // requests, and in the next process where this one ends.
    io::Task<void> delete_snapshot(std::string name);
    // The content becomes the snapshot's; the size stays. No request is in flight.
    io::Task<void> revert(std::string name) { return restacking_.revert(std::move(name)); }
    // To more bytes than now, a multiple of 4096.
    io::Task<void> resize(std::uint64_t size) { return restacking_.resize(size); }
    // Copies what the base has and ends when the volume needs it no more; goes on as merging does.
    io::Task<void> flatten() { return restacking_.flatten(); }
    // Ends when nothing can be merged any more; fails with what keeps it from going on.
    io::Task<void> wait_idle() { return merger_.wait_idle(); }
    bool merging() const { return merger_.active(); }
    MergeProgress merge_progress() const { return merger_.progress(); }

    std::vector<Snapshot> snapshots() const;  // the oldest first
    // What a clone of the snapshot has as its base: hold a view of it until the clone's claims are
    // made. Fails with conflict while something below it is being merged.
    Result<std::vector<LayerEntry>> chain(std::string_view snapshot) const;
    // The snapshot as a disk that is only read. While it exists nothing below it is merged.
    Result<std::unique_ptr<View>> view(std::string_view snapshot);
    std::uint64_t allocated_bytes() const;  // of its own layers
    bool has_base() const;
    const std::vector<LayerEntry>& layers() const { return journal_->layers(); }  // on the disk
    const Id& id() const { return journal_->owner(); }
    // Fails with corrupt where a slot has two owners, or is counted wrongly. Requests wait for it.
    io::Task<void> check_slots();

    // Everything known so far goes into the maps.
    io::Task<void> checkpoint() { return stable_.checkpoint(); }
    const Counters& counters() const { return counters_; }
    Custody& custody() { return custody_; }
    // Whether some checksums are still being computed anew.
    bool reconciling() const { return !untrusted_.empty(); }

  private:
    friend class Checkpoints;
    friend class ChunkUse;
    friend class Custody;
    friend class Merger;
    friend class Restacking;
    friend class Upkeep;
    friend class View;
    class Attempt;

    Volume(io::Loop& loop, LayerStore& store, const Options& options)
        : loop_(loop), store_(store), options_(options) {}

    Result<void> check_range(std::uint64_t offset, std::uint64_t length) const;
    Layer& head() { return layers_.head(); }
    bool checksums() const { return (journal_->superblock().features & feature_checksums) != 0; }
    void forget_unused();
    io::Task<void> settle();
    io::Task<void> recover(Files files);
    io::Task<void> replay();
    io::Task<void> apply(std::span<const std::byte> record);
    io::Task<void> apply_chunk(ChunkRecord record);
    io::Task<void> write_staged(std::uint64_t offset, std::uint64_t length,
                                std::span<const iovec> vectors);
    io::Task<void> fill_edges(std::uint64_t first, std::span<std::byte> staging,
                              std::uint64_t offset, std::uint64_t length);
    io::Task<void> store_blocks(std::uint64_t first, std::uint64_t end, std::span<const iovec> from,
                                std::span<const std::uint32_t> sums);
    io::Task<void> mark(std::uint64_t first, std::uint64_t end);
    void distrust(std::uint64_t first, std::uint64_t end);
    void count_change();
    void entry_changed(Layer& layer, CachedPage& page, std::uint64_t chunk, bool states);
    void give_up_slot(Layer& layer, std::uint32_t slot);
    io::Task<void> zero_blocks(std::uint64_t first, std::uint64_t end);
    io::Task<std::vector<std::uint64_t>> zero_in_page(std::uint64_t first, std::uint64_t end);
    io::Task<void> zero_edge(std::uint64_t offset, std::uint64_t length);

    io::Loop& loop_;
    LayerStore& store_;
    Options options_;
    storage::BufferPool staging_{loop_, options_.most_idle_staging};
    io::TaskGroup work_;        // what requests wait for
    io::TaskGroup background_;  // what nobody waits for
    std::unique_ptr<Journal> journal_;
    std::unique_ptr<Intents> intents_;
    RangeLock blocks_;
    LayerStack layers_{loop_, work_, options_};
    std::unordered_map<std::uint64_t, io::TimePoint> last_write_;  // of marked regions
    // Regions whose checksums are not those of their blocks: marked at a crash, or a write failed.
    RegionSet untrusted_;
    Counters counters_;
    LayerReader reader_{{layers_, blocks_, untrusted_, counters_}, options_.most_index_bytes};
    Checkpoints stable_{*this};
    Upkeep upkeep_{*this};
    Merger merger_{*this};
    Restacking restacking_{*this};
    Custody custody_{*this};
    std::optional<Error> closed_;  // nothing is written any more
    std::uint64_t opened_as_ = 0;  // the incarnation
};

}  // namespace sheaf::volume

#pragma once

// Why: the disk that Sheaf keeps itself. Content is checked whenever it is read; a completed flush
// survives a power cut at any instant; space is taken when it is first written. How it lies on the
// host's disk is docs/formats/volume.md; how the parts work together is this folder's README.

#include <memory>
#include <unordered_map>
#include <vector>

#include "io/task_group.h"
#include "io/waiters.h"
#include "storage/block.h"
#include "storage/volume/intents.h"
#include "storage/volume/journal.h"
#include "storage/volume/layer.h"
#include "storage/volume/range_lock.h"
#include "storage/volume/region_set.h"
#include "storage/volume/shape.h"
#include "storage/volume/shared_work.h"

namespace sheaf::volume {

// One engine has a volume open at a time; the caller holds its lock. Loop thread only.
class Volume final : public storage::Block {
  public:
    // Makes a new volume in `files`, which are empty and of which `layers` has the head alone.
    static io::Task<void> create(io::Loop& loop, Files files, Shape shape);
    // Fails with corrupt or unsupported where the files are not a sound volume, naming which part.
    static io::Task<std::unique_ptr<Volume>> open(io::Loop& loop, Files files, Options options);
    // After shut_down() or abandon().
    ~Volume() override = default;

    // Nothing is asked of it any more: makes everything stable and says that it was closed cleanly.
    // Where that fails the next open() recovers, as after a crash.
    io::Task<void> shut_down();
    // Ends everything that runs, without writing anything more.
    io::Task<void> abandon();
    // Block. A write that cannot get room waits for it. Fails with corrupt where a block is not
    // what was written.
    storage::Geometry geometry() const override;
    io::Task<void> read(std::uint64_t offset, std::span<const iovec> vectors) override;
    io::Task<void> write(std::uint64_t offset, std::span<const iovec> vectors) override;
    io::Task<void> flush() override;
    io::Task<void> discard(std::uint64_t offset, std::uint64_t length) override;
    io::Task<void> zero(std::uint64_t offset, std::uint64_t length, storage::Space space) override;

    // Everything known so far goes into the map; the log begins anew.
    io::Task<void> checkpoint();
    const Counters& counters() const { return counters_; }
    // Whether checksums of some regions are still being computed anew.
    bool reconciling() const { return !untrusted_.empty(); }

  private:
    friend class ChunkUse;
    class Plan;
    struct Piece;
    class Attempt;
    struct Logged;

    Volume(io::Loop& loop, const Options& options) : loop_(loop), options_(options) {}

    // volume.cpp
    Result<void> check_range(std::uint64_t offset, std::uint64_t length) const;
    Layer& head() { return *head_; }
    bool checksums() const { return (journal_->superblock().features & feature_checksums) != 0; }
    io::Task<void> write_superblock(std::uint32_t state);
    io::Task<void> settle();

    // volume_recovery.cpp
    io::Task<void> recover(Files files);
    Result<void> take_layers(std::vector<LayerFiles> files);
    io::Task<void> replay();
    io::Task<void> apply(std::span<const std::byte> record);
    io::Task<void> apply_chunk(ChunkRecord record);
    io::Task<void> find_free_slots();

    // volume_read.cpp
    io::Task<void> read_blocks(std::uint64_t first, std::span<const iovec> vectors);
    io::Task<void> plan_chunk(std::uint64_t first, std::uint64_t end, Plan& plan);
    io::Task<void> read_piece(const Piece& piece, std::span<const iovec> vectors);
    io::Task<void> read_again(const Piece& piece, std::uint64_t block, std::span<const iovec> into);

    // volume_write.cpp
    io::Task<void> write_staged(std::uint64_t offset, std::uint64_t length,
                                std::span<const iovec> vectors);
    io::Task<void> fill_edges(std::uint64_t first, std::span<std::byte> staging,
                              std::uint64_t offset, std::uint64_t length);
    io::Task<void> store_blocks(std::uint64_t first, std::uint64_t end, std::span<const iovec> from,
                                std::span<const std::uint32_t> sums);
    io::Task<void> mark(std::uint64_t first, std::uint64_t end);
    void distrust(std::uint64_t first, std::uint64_t end);
    void count_change();
    void give_up_slot(std::uint32_t slot);

    // volume_zero.cpp
    io::Task<void> zero_blocks(std::uint64_t first, std::uint64_t end);
    io::Task<void> zero_in_page(std::uint64_t first, std::uint64_t end);
    io::Task<void> zero_edge(std::uint64_t offset, std::uint64_t length);

    // volume_flush.cpp
    io::Task<void> flush_once();
    io::Task<void> log_changes(Logged& logged);
    Logged take_changes();
    void give_back(Logged logged);
    void start_checkpoint();
    io::Task<void> checkpoint_once();
    io::Task<void> write_checkpoint();
    io::Task<void> finish_commit();

    // volume_upkeep.cpp
    io::Task<void> keep_up();
    io::Task<void> clean();
    io::Task<void> reconcile();
    io::Task<void> reconcile_region(std::uint64_t region);
    std::vector<std::uint64_t> idle_regions() const;

    io::Loop& loop_;
    Options options_;
    std::unique_ptr<Journal> journal_;
    std::unique_ptr<Intents> intents_;
    std::vector<std::unique_ptr<Layer>> layers_;
    Layer* head_ = nullptr;

    RangeLock blocks_;
    RangeLock journal_lock_;                                       // one append or commit at a time
    std::unordered_map<std::uint64_t, io::TimePoint> last_write_;  // of marked regions
    // Regions whose checksums are not those of their blocks: marked at a crash, or a write failed.
    RegionSet untrusted_;

    std::uint64_t changes_ = 1;  // what was written before this process is not known to be stable
    std::uint64_t flushed_ = 0;
    SharedWork flushing_;
    SharedWork checkpointing_;
    std::vector<std::uint32_t> freed_;  // slots that the log does not know to be free
    std::vector<bool> known_slots_;     // to be in use or free, while free ones are looked for
    struct Commit {
        Journal::Prepared prepared;
        std::optional<LayerMap::Checkpoint> image;
    };
    std::optional<Commit> unfinished_;  // that may be on the disk or not
    std::optional<Error> closed_;       // nothing is written any more

    io::Event upkeep_wanted_;
    Counters counters_;
    io::TaskGroup work_;    // what requests wait for
    io::TaskGroup upkeep_;  // what nobody waits for
};

}  // namespace sheaf::volume

#pragma once

// Why: everything becomes stable here and in one order: content first, then the log's word that it
// is there; pages of maps first, then the superblock that counts them. One flush, one checkpoint
// and one change of the table of layers at a time.

#include <optional>
#include <span>
#include <vector>

#include "storage/volume/journal.h"
#include "storage/volume/layer.h"
#include "storage/volume/range_lock.h"
#include "storage/volume/shape.h"
#include "storage/volume/shared_work.h"

namespace sheaf::volume {

class Volume;

// Loop thread only; the volume outlives it.
class Checkpoints {
  public:
    explicit Checkpoints(Volume& volume) : volume_(volume) {}

    // What was written and completed before is stable when this ends.
    io::Task<void> flush();
    // The log has what these chunks of the head are now when this ends, so that a request that
    // changed them may be answered: a process that is killed loses nothing of it. Those who come
    // while the log is written share the next write of it.
    io::Task<void> tell(std::vector<std::uint64_t> chunks);
    // The same where nobody tells any more; it waits for what of it still runs.
    io::Task<void> end_telling();
    // Everything known so far goes into the maps; the log begins anew.
    io::Task<void> checkpoint();
    void start_checkpoint();
    // Something is not stable that was, or was not there.
    void note_change() { ++changes_; }
    // The superblock again, with another state and stamp; the log goes on. In quiet, or where
    // nothing else runs.
    io::Task<void> write_superblock(std::uint32_t state, Stamp stamp);

    // While it exists there are no flushes and no checkpoints but those of who has it.
    class [[nodiscard]] Quiet {
      public:
        explicit Quiet(Checkpoints& owner) : owner_(&owner) {}
        Quiet(Quiet&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
        Quiet& operator=(Quiet&&) = delete;
        ~Quiet() {
            if (!owner_) return;
            owner_->flushing_.end({});
            owner_->checkpointing_.end({});
        }

      private:
        Checkpoints* owner_;
    };
    io::Task<Quiet> quiet();

    // A state of the volume on its way to the disk.
    struct MapImage {
        Layer* layer;
        LayerMap::Checkpoint map;
    };
    struct Change {
        Superblock superblock;
        std::vector<LayerEntry> layers;
        std::vector<MapImage> images;
        std::vector<Id> released;      // layers whose claims end when it counts
        std::vector<Layer*> contents;  // whose data must be stable first
    };
    // In quiet: the present state, all of it stable but for the commit, to be changed.
    io::Task<Change> begin_change();
    // After this the change may come to be, whatever happens; before, nothing has.
    io::Task<void> prepare(Change change);
    io::Task<void> finish();
    bool settled() const { return !unfinished_; }

    // Nothing refers to layers that are gone.
    bool idle() const { return !flushing_.running && !checkpointing_.running && settled(); }

  private:
    struct Logged;
    struct Commit {
        Journal::Prepared prepared;
        std::vector<MapImage> images;
        std::vector<Id> released;
        bool changes_stack = false;
    };

    io::Task<void> flush_once();
    io::Task<void> log_changes(Logged& logged, Layer& head);
    static Logged take_changes(Layer& head);
    LogBatch batch_of(Logged& logged, const Layer& head) const;
    io::Task<void> tell_once();
    io::Task<void> log_told(std::span<const std::uint64_t> chunks);
    static void give_back(Logged logged, Layer& head);
    io::Task<void> checkpoint_once();
    io::Task<void> write_checkpoint();
    Change capture();
    io::Task<void> store(Change& change, std::uint64_t sequence);
    io::Task<void> finish_commit();

    Volume& volume_;
    RangeLock journal_lock_;     // one append or commit at a time
    std::uint64_t changes_ = 1;  // what was written before this process is not known to be stable
    std::uint64_t flushed_ = 0;
    std::vector<std::uint64_t> untold_;  // chunks of which the log does not know what they are
    std::uint64_t tellings_ = 0;
    std::uint64_t told_ = 0;
    SharedWork telling_;
    SharedWork flushing_;
    SharedWork checkpointing_;
    std::optional<Commit> unfinished_;  // that may be on the disk or not
};

}  // namespace sheaf::volume

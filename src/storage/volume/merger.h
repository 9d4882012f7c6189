#pragma once

// Why: a layer that nobody asks for any more still holds blocks that those above it lack. They are
// copied up behind the requests, some chunks from one checkpoint to the next; then the layer goes.
// Nothing is remembered of how far that has come: whoever starts over skips what is there already.

#include <deque>
#include <optional>
#include <vector>

#include "io/event.h"
#include "io/waiters.h"
#include "storage/volume/chunk_use.h"
#include "storage/volume/layer_reader.h"

namespace sheaf::volume {

class Volume;

// Loop thread only; the volume outlives it.
class Merger {
  public:
    explicit Merger(Volume& volume) : volume_(volume) {}

    // Until it is cancelled.
    io::Task<void> run();
    // There may be something to merge.
    void wake();
    // A view begins, under which somebody may come to claim layers.
    void note_view() { ++views_; }
    // The volume needs the layer no more; its claim ends some time later.
    void release(const Id& layer);

    bool active() const { return job_.has_value(); }
    MergeProgress progress() const { return progress_; }
    // Whether the layer is being changed, or being copied from.
    bool touches(const Layer& layer) const;
    // Ends when there is nothing to do that could be done; fails with what went wrong.
    io::Task<void> wait_idle();

  private:
    // The layers from `top` down to the one above `end` are copied into `child`, which is above
    // `top`.
    struct Job {
        std::uint32_t child;
        std::uint32_t top;
        std::uint32_t end;  // 0: to the last
        bool punch;         // the layers are nobody else's
    };
    struct Candidate {
        std::uint32_t child = 0;
        std::optional<Id> child_id;  // where it is frozen
        std::uint32_t top = 0;
        std::uint32_t end = 0;
        bool base = false;
        std::vector<std::pair<std::uint32_t, Id>> unshared;  // numbers and ids of what would go
    };
    enum class Went : std::uint8_t { on, out_of_room, away };

    io::Task<void> work_once();
    io::Task<void> release_all();
    std::vector<Candidate> candidates();
    io::Task<std::optional<Job>> find_job();
    bool valid(const Job& job) const;
    LayerSpan span_of(const Job& job) const;
    io::Task<void> perform(Job job);
    io::Task<Went> copy_all(Job job);
    io::Task<Went> copy_chunk(Job job, std::uint64_t chunk);
    io::Task<Went> copy_blocks(Job job, std::uint64_t chunk, const ChunkOwners& owners,
                               std::uint32_t missing);
    io::Task<void> end_batch(Job job);
    io::Task<void> punch(Job job, std::uint64_t chunk);
    io::Task<void> wake_later();

    Volume& volume_;
    std::optional<Job> job_;
    MergeProgress progress_;
    std::vector<std::uint64_t> batch_;  // chunks of which the layers' content is above now
    std::deque<Id> released_;
    bool waiting_ = false;  // for something that others do
    bool timer_ = false;
    bool in_round_ = false;
    std::uint64_t rounds_ = 0;
    std::uint64_t views_ = 0;       // so many have begun
    std::optional<Error> failure_;  // of the last round
    io::Event wanted_;
    io::Waiters round_ended_;
};

}  // namespace sheaf::volume

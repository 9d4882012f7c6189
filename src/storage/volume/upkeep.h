#pragma once

// Why: what is done when nobody waits: marks are taken back, checksums after a crash computed anew,
// room looked for and given back.

#include <vector>

#include "io/event.h"
#include "io/task.h"
#include "storage/volume/layer.h"

namespace sheaf::volume {

class Volume;

// Loop thread only; the volume outlives it.
class Upkeep {
  public:
    explicit Upkeep(Volume& volume) : volume_(volume) {}

    // Until it is cancelled.
    io::Task<void> run();
    // There may be something to do.
    void wake() { wanted_.set(); }
    // Computes the checksums anew that a crash or a failed write left open.
    io::Task<void> reconcile();
    io::Task<void> find_free_slots(Layer& layer);

  private:
    io::Task<void> give_back_room();
    io::Task<void> note_used_slots(Layer& layer);
    io::Task<void> clean();
    io::Task<void> reconcile_region(std::uint64_t region);
    std::vector<std::uint64_t> idle_regions() const;

    Volume& volume_;
    io::Event wanted_;
};

}  // namespace sheaf::volume

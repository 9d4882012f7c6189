#pragma once

// Why: what changes the stack of layers. Each change is one commit of the table: before it nothing
// has changed, after it all has, whatever happens; and one is made at a time.

#include <string>

#include "storage/volume/checkpoints.h"
#include "storage/volume/layer.h"
#include "storage/volume/range_lock.h"

namespace sheaf::volume {

class Volume;

// Loop thread only; the volume outlives it.
class Restacking {
  public:
    explicit Restacking(Volume& volume) : volume_(volume) {}

    // As Volume has them.
    io::Task<void> snapshot(std::string name);
    io::Task<void> delete_snapshot(std::string name);
    io::Task<void> revert(std::string name);
    io::Task<void> resize(std::uint64_t size);
    io::Task<void> flatten();

    // Layers that were deleted and that nothing is above any more leave the stack; false: none.
    io::Task<bool> drop_unused();
    // `child` has all of the layers from `top` down to the one above `end` itself now.
    io::Task<void> reparent(std::uint32_t child, std::uint32_t top, std::uint32_t end);

    // While it exists nothing changes: no request runs and nothing is merged, the stack stays as it
    // is, and so does what the disk has of it.
    struct [[nodiscard]] Standstill {
        RangeLock::Held stack;
        RangeLock::Held requests;
        Checkpoints::Quiet disk;
    };
    // Fails with exhausted where requests wait for room, for they would wait for good.
    io::Task<Standstill> stand_still();

  private:
    Id next_id();
    std::uint64_t now() const;
    io::Task<void> freeze(std::string name, Id id);
    io::Task<void> replace_head(std::string name, Id id);
    static void forget_changes(Layer& layer);

    Volume& volume_;
    RangeLock lock_;
    std::uint64_t ids_made_ = 0;
};

}  // namespace sheaf::volume

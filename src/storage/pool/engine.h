#pragma once

// Why: making a volume in a pool, and opening one, are each several steps of which none may be
// left out.

#include "storage/pool/pool.h"
#include "storage/volume/volume.h"

namespace sheaf::pool {

struct NewVolume {
    std::string name;
    std::uint64_t size = 0;  // bytes
    volume::Checksums checksums = volume::Checksums::on;
    volume::Role role = volume::Role::whole;
};

// Fails with exists, or invalid for a name or size that cannot be; then nothing is left of it. The
// pool outlives the task.
io::Task<void> create_volume(io::Loop& loop, const Pool& pool, NewVolume wanted);

// What a new holding of a pool needs to be a volume: its first layer, and nothing in it. The name
// in `wanted` is not looked at. Of the layers of a base it has claims already.
io::Task<void> make_content(io::Loop& loop, const Holding& made, NewVolume wanted,
                            std::vector<volume::LayerEntry> base = {});

// Fails with invalid or exists.
Result<void> check_new_name(const Pool& pool, const std::string& name);
// How making a volume ends: it has its name, or nothing is left of it.
Result<void> publish_or_discard(const Pool& pool, Holding& made, const std::string& name,
                                Result<void> outcome, VolumeAbout about = {});

// The engine of a volume, or copy, that this process holds; pool and layers outlive it. Claims that
// a crash left and no table names end.
io::Task<std::unique_ptr<volume::Volume>> open_volume(io::Loop& loop, const Pool& pool,
                                                      const Holding& holding,
                                                      volume::LayerStore& layers,
                                                      Part part = Part::whole);

// Makes this node's copy of a replicated volume, all zeros; else as create_volume().
struct NewCopy {
    std::string name;
    Id id{};
    std::uint64_t size = 0;  // bytes
    std::string node;
};
io::Task<void> create_copy(io::Loop& loop, const Pool& pool, NewCopy wanted);

}  // namespace sheaf::pool

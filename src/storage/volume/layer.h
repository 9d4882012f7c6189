#pragma once

// Why: a layer is a map and the data it speaks of; a volume reads through a stack of them and
// writes the topmost.

#include <memory>

#include "storage/volume/layer_map.h"
#include "storage/volume/slot_space.h"

namespace sheaf::volume {

struct Layer {
    Layer(const LayerEntry& about, File map_file, File data_file, PageCache& cache)
        : entry(about),
          data(std::move(data_file)),
          map(std::move(map_file), about.id, about.root, cache) {}

    bool is(std::uint32_t flags) const { return (entry.flags & flags) == flags; }

    LayerEntry entry;  // as in the table; slots_used is kept up to date, root by checkpoints
    File data;
    LayerMap map;
    Layer* parent = nullptr;
    std::unique_ptr<SlotSpace> space;  // where it is not a base that others have too
    std::vector<std::uint32_t> freed;  // slots that the log does not know to be free
    std::vector<bool> known_slots;     // to be in use or free, while free ones are looked for
    bool free_slots_known = false;
    unsigned pins = 0;  // while not 0, nothing of it is merged
};

}  // namespace sheaf::volume

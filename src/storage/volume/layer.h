#pragma once

// Why: a layer is a map and the data it speaks of; a volume reads through a stack of them and
// writes the topmost.

#include <memory>

#include "storage/volume/layer_map.h"
#include "storage/volume/slot_space.h"

namespace sheaf::volume {

struct Layer {
    Layer(const LayerEntry& about, File map_file, File data_file, std::size_t most_clean)
        : entry(about),
          data(std::move(data_file)),
          map(std::move(map_file), about.id, about.root, most_clean) {}

    LayerEntry entry;  // as in the table; slots_used is kept up to date, root by checkpoints
    File data;
    LayerMap map;
    Layer* parent = nullptr;
    std::unique_ptr<SlotSpace> space;  // of the head
};

}  // namespace sheaf::volume

#pragma once

// Why: a snapshot needs the files of a new layer while the volume is in use, and the process that
// runs a guest may open nothing. Who may (a pool, a keeper, the simulation) stands behind this.

#include "io/task.h"
#include "storage/volume/shape.h"

namespace sheaf::volume {

// A claim says that a volume or an image has a layer. It is made before the table of the volume
// names the layer, and ends after it has ceased to, so that a crash leaves a claim too many, never
// one too few. Loop thread only; outlives the volumes that use it.
class LayerStore {
  public:
    virtual ~LayerStore() = default;

    // Makes the files of a new layer and this volume's claim on it; both are stable when it ends.
    virtual io::Task<LayerFiles> create(Id layer) = 0;
    // Ends this volume's claim. Where it was the last one, the files go. Without a claim: nothing.
    virtual io::Task<void> release(Id layer) = 0;
    // Whether somebody else has a claim: the layer's files are then never changed.
    virtual io::Task<bool> shared(Id layer) = 0;
};

}  // namespace sheaf::volume

#pragma once

// Why: the engine asks for layers by an interface that waits; where the process that runs it may
// touch the pool itself, this answers from the holding, at once.

#include "storage/pool/holding.h"
#include "storage/volume/layer_store.h"

namespace sheaf::pool {

// The holding outlives it.
class HeldLayers final : public volume::LayerStore {
  public:
    explicit HeldLayers(const Holding& holding) : holding_(holding) {}

    io::Task<volume::LayerFiles> create(Id layer) override;
    io::Task<void> release(Id layer) override;
    io::Task<bool> shared(Id layer) override;

  private:
    const Holding& holding_;
};

}  // namespace sheaf::pool

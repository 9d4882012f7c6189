#include "storage/pool/held_layers.h"

namespace sheaf::pool {

io::Task<volume::LayerFiles> HeldLayers::create(Id layer) {
    co_return co_await holding_.make_layer(layer);
}

io::Task<void> HeldLayers::release(Id layer) {
    co_await holding_.release(layer);
}

io::Task<bool> HeldLayers::shared(Id layer) {
    co_return co_await holding_.shared(layer);
}

}  // namespace sheaf::pool

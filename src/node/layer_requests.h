#pragma once

// Why: a snapshot needs files for a new layer, and the VMM opens nothing: it asks its keeper, which
// makes and removes layers of this one volume and hands the files over. So a VMM that was taken
// over reaches no other volume (docs/formats/vmm-control.md).

#include <boost/describe.hpp>

#include "io/loop.h"
#include "storage/pool/holding.h"
#include "storage/volume/layer_store.h"

namespace sheaf::node {

BOOST_DEFINE_ENUM_CLASS(LayerVerb, create, release, shared)

struct LayerRequest {
    LayerVerb verb = LayerVerb::shared;
    std::string layer;  // 32 hexadecimal digits
};
BOOST_DESCRIBE_STRUCT(LayerRequest, (), (verb, layer))

struct LayerAnswer {
    std::string kind;  // of what went wrong; empty: nothing
    std::string detail;
    bool shared = false;
};
BOOST_DESCRIBE_STRUCT(LayerAnswer, (), (kind, detail, shared))

// The VMM's end. Loop thread.
class KeeperLayers final : public volume::LayerStore {
  public:
    // The loop outlives it.
    KeeperLayers(io::Loop& loop, Fd channel) : loop_(loop), channel_(std::move(channel)) {}

    io::Task<volume::LayerFiles> create(volume::Id layer) override;
    io::Task<void> release(volume::Id layer) override;
    io::Task<bool> shared(volume::Id layer) override;

  private:
    struct Answer {
        bool shared = false;
        std::vector<Fd> descriptors;
    };
    io::Task<Answer> ask(LayerVerb verb, volume::Id layer);

    io::Loop& loop_;
    Fd channel_;
};

// The keeper's end: answers until the other end closes. The channel and the holding outlive it.
io::Task<void> answer_layer_requests(io::Loop& loop, int channel, const pool::Holding& holding);

}  // namespace sheaf::node

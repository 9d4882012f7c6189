#pragma once

// Why: snapshots, clones and reverts make a tree of layers; who is below whom, who may be asked for
// by name, and when a layer that is gone from the tree may be forgotten, is one thing to know.

#include <span>
#include <string_view>

#include "storage/volume/layer.h"
#include "storage/volume/range_lock.h"
#include "storage/volume/shape.h"

namespace sheaf::volume {

// Loop thread only.
class LayerStack {
  public:
    LayerStack(io::Loop& loop, io::TaskGroup& work, const Options& options)
        : loop_(loop), work_(work), growth_(options.growth), cache_(options.most_clean_pages) {}

    // The layers that a table names, of the files that were opened. Fails with not_found where one
    // is missing, with corrupt where the table makes no sense.
    Result<void> take(std::vector<LayerFiles> files, std::span<const LayerEntry> table,
                      const Superblock& superblock);
    // A layer as it is opened; no part of the stack yet.
    Result<std::unique_ptr<Layer>> make(LayerFiles files, const LayerEntry& entry);
    // A layer without content becomes the head, over `parent`.
    void push(std::unique_ptr<Layer> layer, Layer& parent);
    // It is no part of the volume any more; it stays in memory while a request may still read it.
    void remove(Layer& layer, const RangeLock& requests);
    void forget_unused(const RangeLock& requests);
    bool forgetting() const { return !gone_.empty(); }

    Layer& head() const { return *head_; }
    std::span<const std::unique_ptr<Layer>> all() const { return layers_; }
    Layer* find(std::uint32_t number) const;
    // A snapshot that was not deleted.
    Layer* find(std::string_view name) const;
    Result<Layer*> snapshot(std::string_view name) const;  // or not_found
    std::size_t children(const Layer& layer) const;

  private:
    struct Gone {
        std::uint64_t before;  // requests numbered below may read it
        std::unique_ptr<Layer> layer;
    };
    io::Loop& loop_;
    io::TaskGroup& work_;
    Growth growth_;
    PageCache cache_;
    std::vector<std::unique_ptr<Layer>> layers_;  // older ones first
    std::vector<Gone> gone_;
    Layer* head_ = nullptr;
};

std::string_view name_of(const LayerEntry& entry);

}  // namespace sheaf::volume

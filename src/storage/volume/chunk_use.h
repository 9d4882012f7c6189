#pragma once

// Why: while a request writes into a chunk's slot, the slot must not become another chunk's, and
// two requests that write the first blocks of a chunk must agree on one slot.

#include "storage/volume/layer.h"

namespace sheaf::volume {

class Volume;

// One request's use of one chunk of a layer, until it is destroyed. Both outlive it.
class [[nodiscard]] ChunkUse {
  public:
    // Finds the chunk's slot, or gets one; waits for room where there is none.
    static io::Task<ChunkUse> begin(Volume& volume, Layer& layer, std::uint64_t chunk);
    // The same, or nothing where there is no room now.
    static io::Task<std::optional<ChunkUse>> begin_now(Volume& volume, Layer& layer,
                                                       std::uint64_t chunk);
    ChunkUse(ChunkUse&& other) noexcept
        : volume_(std::exchange(other.volume_, nullptr)),
          layer_(other.layer_),
          page_(std::move(other.page_)),
          chunk_(other.chunk_) {}
    ChunkUse& operator=(ChunkUse&&) = delete;
    ~ChunkUse() {
        if (volume_) end();
    }

    std::uint64_t chunk() const { return chunk_; }
    std::uint32_t slot() const { return page_->reserved.at(chunk_ % chunks_per_page); }
    // The slot holds these blocks of the chunk now, with these checksums. Gives whether the log has
    // yet to be told what the chunk is, of this or of an earlier change.
    bool written(unsigned first, std::span<const std::uint32_t> checksums);

  private:
    ChunkUse(Volume& volume, Layer& layer, Pin page, std::uint64_t chunk);
    void take(std::uint32_t slot);
    void end();

    Volume* volume_;
    Layer* layer_;
    Pin page_;
    std::uint64_t chunk_;
};

}  // namespace sheaf::volume

#pragma once

// Why: a snapshot is a disk too: exports, clones and whoever compares read it while the volume goes
// on.

#include <string>
#include <string_view>
#include <vector>

#include "storage/block.h"
#include "storage/extents.h"

namespace sheaf::volume {

class Volume;
struct Layer;

// Read only. The volume outlives it; its layers stay as they are while it exists, also where the
// snapshot is deleted meanwhile. Loop thread only.
class View final : public storage::Block, public storage::Extents {
  public:
    View(Volume& volume, Layer& layer);
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    ~View() override;

    storage::Geometry geometry() const override;
    io::Task<void> read(std::uint64_t offset, std::span<const iovec> vectors) override;
    io::Task<void> flush() override;
    // These fail with denied.
    io::Task<void> write(std::uint64_t offset, std::span<const iovec> vectors) override;
    io::Task<void> discard(std::uint64_t offset, std::uint64_t length) override;
    io::Task<void> zero(std::uint64_t offset, std::uint64_t length, storage::Space space) override;

    io::Task<std::vector<storage::Extent>> extents(std::uint64_t offset, std::uint64_t length,
                                                   std::size_t most) override;

    // What has been written or discarded since, in the volume or in a later snapshot of it: where
    // there is a hole, the content is this one's. Fails with conflict where that does not descend
    // from this snapshot.
    io::Task<std::vector<storage::Extent>> changes(const View* later, std::uint64_t offset,
                                                   std::uint64_t length, std::size_t most) const;
    // The snapshots that the volume, or one of its snapshots, descends from; the youngest first.
    static Result<std::vector<std::string>> ancestors(const Volume& volume,
                                                      std::string_view snapshot = {});

  private:
    Volume& volume_;
    std::vector<Layer*> layers_;  // the snapshot's own first
};

}  // namespace sheaf::volume

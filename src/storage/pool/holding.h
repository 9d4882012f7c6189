#pragma once

// Why: a volume or image whose lock this process has: its files, and the layers it has claims on.
// All of it blocks for as long as a file system takes to make names stable; whoever may not wait
// lets another process do it (node/keeper.h).

#include "storage/pool/about.h"
#include "storage/pool/lock.h"
#include "storage/volume/shape.h"

namespace sheaf::pool {

class Pool;

class Holding {
  public:
    const std::string& name() const { return name_; }  // empty while it is being made
    const Id& id() const { return id_; }
    const Directory& directory() const { return directory_; }
    const VolumeLock& lock() const { return lock_; }

    // Opens its files and those of its layers, for one engine. Of layers that others have claims on
    // too, for reading only.
    Result<volume::Files> open_files() const;

    // The calls of volume::LayerStore (storage/volume/layer_store.h).
    Result<volume::LayerFiles> make_layer(const Id& layer) const;
    Result<void> release(const Id& layer) const;
    Result<bool> shared(const Id& layer) const;

    // A claim on a layer of another volume or image, for a clone. Fails with not_found where the
    // layer has gone.
    Result<void> claim(const Id& layer) const;
    // The layers that it may have claims on: all that it has, and what a crash left.
    Result<std::vector<Id>> layers() const;
    // Ends the claims on all layers but these.
    Result<void> keep_only(const std::vector<Id>& needed) const;

  private:
    friend class Pool;
    Holding(const Pool& pool, std::string name, Id id, Directory directory, VolumeLock lock)
        : pool_(&pool),
          name_(std::move(name)),
          id_(id),
          directory_(std::move(directory)),
          lock_(std::move(lock)) {}

    Result<volume::LayerFiles> open_layer(const Id& layer) const;
    Result<void> note(const Id& layer) const;
    std::string claim_name() const;

    const Pool* pool_;
    std::string name_;
    Id id_;
    Directory directory_;
    VolumeLock lock_;
};

}  // namespace sheaf::pool

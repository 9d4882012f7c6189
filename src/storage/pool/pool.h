#pragma once

// Why: a directory of volumes, images and the layers they share, in which whatever crashes leaves
// nothing half-made in sight. What is where, and in which order: docs/formats/pool.md.

#include <memory>

#include "storage/pool/holding.h"

namespace sheaf::pool {

inline constexpr std::string_view default_pool = "/var/lib/sheaf/pool";

// Where a pool has what; an image is a volume that is never written again.
enum class Shelf : std::uint8_t { volumes, images };
std::string_view to_string(Shelf shelf);  // the directory
std::string_view noun_of(Shelf shelf);    // "volume" or "image"

// What a volume is to whoever opens it: all there is of it, or one copy of several, which only its
// server and its engine may change.
enum class Part : std::uint8_t { whole, copy };

// Any thread, and any number of processes at once. All calls block.
class Pool {
  public:
    // Fails with not_found or invalid where there is no pool.
    static Result<std::unique_ptr<Pool>> open(const std::string& path);
    // Makes it first where there is none: where its parent exists, and for the default path.
    static Result<std::unique_ptr<Pool>> open_or_make(const std::string& path);

    const std::string& path() const { return root_.path(); }
    const Directory& layers() const { return layers_; }
    const Directory& shelf(Shelf which) const {
        return which == Shelf::volumes ? volumes_ : images_;
    }
    Result<PoolLock> lock() const { return PoolLock::take(root_); }
    // How its volumes are to be opened.
    volume::Options options() const;
    // Fails with exhausted where so many bytes more would pass the hard stop: whatever else is put
    // into a pool leaves its volumes the room that they leave each other.
    Result<void> check_room(std::uint64_t bytes) const;

    // Names that can be opened, sorted.
    Result<std::vector<std::string>> names(Shelf shelf) const;
    // Fails with invalid for a name that cannot be one, with not_found.
    Result<Directory> find(Shelf shelf, std::string_view name) const;
    // Takes its lock in the name of `verb`. None where another engine has it (VolumeLock::take).
    // Fails with conflict where it is a copy of a replicated volume and not asked for as one, with
    // invalid the other way round.
    Result<std::optional<Holding>> try_hold(Shelf shelf, std::string_view name,
                                            std::string_view verb, Part part = Part::whole) const;
    // Fails with conflict, saying who has it.
    Result<Holding> hold(Shelf shelf, std::string_view name, std::string_view verb,
                         Part part = Part::whole) const;

    // A new volume or image, locked and out of sight: its files are there, empty, and it has no
    // layer. It is to be published or discarded. Its id is drawn where none is given.
    Result<Holding> begin(Shelf shelf, std::string_view verb,
                          std::optional<Id> given = std::nullopt) const;
    // Gives it its name, and writes what it says of itself. Fails with exists.
    Result<void> publish(Holding& made, Shelf shelf, std::string_view name,
                         VolumeAbout about = {}) const;
    Result<void> discard(const Holding& made, Shelf shelf) const;
    // Removes it, with the layers that nobody else has a claim on. Fails with invalid where there
    // are files in it that are not Sheaf's. The holding is of no use afterwards.
    Result<void> remove(const Holding& held, Shelf shelf) const;

  private:
    Pool(Directory root, PoolAbout about, Directory volumes, Directory images, Directory layers)
        : root_(std::move(root)),
          about_(about),
          volumes_(std::move(volumes)),
          images_(std::move(images)),
          layers_(std::move(layers)) {}

    struct Space {
        std::uint64_t free = UINT64_MAX;  // bytes of the file system
        std::uint64_t keep_free = 0;      // of which so many stay
    };
    Space space() const;
    Result<void> sweep() const;
    Result<void> sweep(const Directory& shelf, const std::string& name, const Id& id) const;

    Directory root_;
    PoolAbout about_;
    Directory volumes_;
    Directory images_;
    Directory layers_;
};

}  // namespace sheaf::pool

#pragma once

// Why: a clone begins as what a snapshot or an image holds, and takes space for what differs: the
// frozen layers are the same files, with a claim more (docs/formats/pool.md, "Claims").

#include <string>

#include "storage/pool/engine.h"

namespace sheaf::pool {

// What a clone begins as.
struct Origin {
    Shelf shelf = Shelf::images;
    std::string name;
    std::string snapshot;  // of a volume; an image has one content

    std::string text() const;  // "image debian", "volume root, snapshot before"
};

// Makes a volume that begins as the origin, of the origin's size where `wanted` has 0. The origin
// may be in use. Fails with exists, not_found, or invalid for a name or size that cannot be; then
// nothing is left of it. Pool and loop outlive the task.
io::Task<void> create_clone(io::Loop& loop, const Pool& pool, NewVolume wanted, Origin origin);

// What make_content() is for a new volume: claims on the origin's layers, and a layer of its own.
io::Task<void> make_clone_content(io::Loop& loop, const Pool& pool, const Holding& made,
                                  NewVolume wanted, Origin origin);

}  // namespace sheaf::pool

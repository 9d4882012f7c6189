#pragma once

// Why: what is on a disk of ours goes to others as a file that everybody reads.

#include <string>

#include "storage/image/copy.h"
#include "storage/image/format.h"
#include "storage/image/fresh_file.h"

namespace sheaf::image {

// Writes what the disk holds into a new file at `path`: raw with holes, or qcow2. Where it fails
// nothing is left, and what was there is as it was. Stable when it ends. Whoever changes the disk
// meanwhile gets what it deserves: a mixture.
io::Task<void> export_disk(io::Loop& loop, storage::Block& disk, storage::Extents& extents,
                           const std::string& path, Format format, Existing existing,
                           Progress progress);

}  // namespace sheaf::image

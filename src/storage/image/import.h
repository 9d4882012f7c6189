#pragma once

// Why: an image is a volume that is made from a file, once, and never written
// again: what is cloned from it can trust it.

#include <optional>
#include <string>

#include "storage/image/copy.h"
#include "storage/pool/pool.h"

namespace sheaf::image {

struct Import {
    std::string name;                   // of the image
    std::string source;                 // what the file is called, for people
    std::optional<std::string> sha256;  // what its bytes must have, as parse_sha256() gives it
};

// What an import is doing.
enum class Stage : std::uint8_t { checking, copying };
using ImportProgress = std::function<void(Stage, std::uint64_t done, std::uint64_t total)>;

// Makes an image of the file, which is open as storage::open_buffered() does
// it. The file is read once for its SHA-256 and once for what is in it, unless
// an image was made of the same bytes before: the two share its layers. Where
// it fails, nothing is left of it: with exists for a name that is taken,
// invalid, corrupt or unsupported for a file that cannot be read or is not the
// one that was meant, exhausted where the pool has no room. The pool outlives
// it.
io::Task<void> import_image(io::Loop& loop, const pool::Pool& pool, Fd file, Import wanted,
                            ImportProgress progress);

}  // namespace sheaf::image

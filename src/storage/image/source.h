#pragma once

// Why: what is imported is a file of one of several formats; behind this it is a disk that knows
// what it holds.

#include <memory>

#include "base/fd.h"
#include "storage/block.h"
#include "storage/extents.h"
#include "storage/image/copy.h"
#include "storage/image/format.h"

namespace sheaf::image {

// A disk image in a file.
class Source {
  public:
    // Takes the file as what it is. Fails where it is no disk that can be read, in words that
    // follow its name. It is open as storage::open_buffered() does it.
    static io::Task<std::unique_ptr<Source>> open(io::Loop& loop, Fd file);
    virtual ~Source() = default;

    virtual Format format() const = 0;
    virtual storage::Block& block() = 0;
    virtual storage::Extents& extents() = 0;
};

// The SHA-256 of all bytes of a file. Progress is told in bytes.
io::Task<std::string> sha256_of(io::Loop& loop, const Fd& file, Progress progress);

}  // namespace sheaf::image

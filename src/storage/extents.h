#pragma once

// Why: who copies a disk, or tells others what is on it, need not read what was never written.

#include <cstdint>
#include <vector>

#include "io/task.h"

namespace sheaf::storage {

struct Extent {
    enum class Kind : std::uint8_t {
        hole,  // takes no space, reads as zeros
        zero,  // reads as zeros; may take space, or hide what a layer below has
        data,
    };
    std::uint64_t length = 0;  // bytes
    Kind kind = Kind::hole;

    friend bool operator==(const Extent&, const Extent&) = default;
};

// A disk that knows what it holds. Loop thread only.
class Extents {
  public:
    virtual ~Extents() = default;

    // What [offset, offset + length) holds, from its beginning; neighbours differ in kind. At most
    // `most` extents. They may end before the range does, there or where looking further would take
    // long, never before the first byte. Bounds as those of a read.
    virtual io::Task<std::vector<Extent>> extents(std::uint64_t offset, std::uint64_t length,
                                                  std::size_t most) = 0;
};

}  // namespace sheaf::storage

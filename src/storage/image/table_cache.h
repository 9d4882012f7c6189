#pragma once

// Why: the tables of an image can be larger than memory. Parts of them are kept, a fixed number.

#include <cstdint>
#include <span>
#include <vector>

#include "storage/volume/file.h"

namespace sheaf::image {

// Slices of a file, each in the one place that its number allows: whoever reads on through a table
// finds what it needs, and no table makes the cache grow. Loop thread only.
class TableCache {
  public:
    // Slices of `slice` bytes, a power of two, `places` of them; the file outlives the cache.
    TableCache(volume::File& file, std::uint64_t file_size, std::uint64_t slice, std::size_t places)
        : file_(file), file_size_(file_size), slice_(slice), places_(places) {}

    // The bytes from `offset`, which is inside the file, to the end of its slice or of the file.
    // They stay until the next wait of any task on this loop.
    io::Task<std::span<const std::byte>> from(std::uint64_t offset);

  private:
    struct Place {
        std::uint64_t begin = ~std::uint64_t{0};
        std::vector<std::byte> bytes;
    };

    volume::File& file_;
    std::uint64_t file_size_;
    std::uint64_t slice_;
    std::vector<Place> places_;
};

}  // namespace sheaf::image

#pragma once

// Why: a layer's map is a tree whose pages have fixed places, so that none has to be allocated or
// freed, and any can be found by arithmetic. What: docs/formats/volume.md, "map".

#include <cstdint>

#include "storage/volume/format.h"

namespace sheaf::volume {

inline constexpr std::uint64_t pages_per_directory = 2 + 2 * fan_out;
inline constexpr std::uint64_t pages_per_branch = 2 + fan_out * pages_per_directory;

// Places are those of the first home, in pages. Directories and slots pages are numbered through
// the whole map.
constexpr std::uint64_t branch_place(std::uint64_t branch) {
    return 2 + branch * pages_per_branch;
}
constexpr std::uint64_t directory_place(std::uint64_t directory) {
    return branch_place(directory / fan_out) + 2 + directory % fan_out * pages_per_directory;
}
constexpr std::uint64_t slots_place(std::uint64_t number) {
    return directory_place(number / fan_out) + 2 + number % fan_out * 2;
}
// Bytes of the map of a layer of this many bytes.
constexpr std::uint64_t map_bytes(std::uint64_t size) {
    constexpr auto span = chunk_size * chunks_per_page;
    const auto last = size == 0 ? 0 : (size - 1) / span;
    return (slots_place(last) + 2) * page_size;
}

}  // namespace sheaf::volume

#pragma once

// Why: every block and every page that Sheaf keeps carries a crc32c (Castagnoli), so that what a
// disk gives back can be told from what was given to it.

#include <cstddef>
#include <cstdint>
#include <span>

namespace sheaf::storage {

// The crc32c of `bytes`; of several pieces, that of the earlier ones is `before`.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace sheaf::storage

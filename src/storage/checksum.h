#pragma once

// Why: every block and every page that Sheaf keeps carries a crc32c (Castagnoli), so that what a
// disk gives back can be told from what was given to it.

#include <cstddef>
#include <cstdint>
#include <span>

namespace sheaf::storage {

// The crc32c of `bytes`; of several pieces, that of the earlier ones is `before`.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

// Has the bytes fetched into the cache for a checksum that is soon to be taken: what a device has
// written is in no cache, and the processor's own looking ahead ends with each page.
inline void fetch_ahead(std::span<const std::byte> bytes) {
    constexpr std::size_t line = 64;
    for (std::size_t at = 0; at < bytes.size(); at += line) __builtin_prefetch(&bytes[at]);
}

}  // namespace sheaf::storage

#pragma once

// Why: what a qcow2 file says about itself is checked once, against the file's size and our limits,
// so that the reader need not doubt it later. What: qemu's docs/interop/qcow2.txt, "Header".

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"

namespace sheaf::image {

inline constexpr std::string_view qcow2_magic = "QFI\xfb";

enum class Compression : std::uint8_t { zlib, zstd };

struct Qcow2Header {
    std::uint32_t version = 3;
    std::uint64_t size = 0;  // of the disk in bytes, a multiple of 512
    unsigned cluster_bits = 16;
    std::uint64_t l1_offset = 0;
    std::uint32_t l1_entries = 0;
    Compression compression = Compression::zlib;
    bool extended_entries = false;  // 32 subclusters in a cluster, 16 bytes in an entry

    std::uint64_t cluster_size() const { return std::uint64_t{1} << cluster_bits; }
    std::uint64_t entry_size() const { return extended_entries ? 16 : 8; }
    std::uint64_t l2_entries() const { return cluster_size() / entry_size(); }
    // Bytes of the disk that one L2 table speaks of; at most 2^39.
    std::uint64_t l2_coverage() const { return l2_entries() * cluster_size(); }
};

// Bytes of the beginning of a file that parse_qcow2_header() looks at, at most.
inline constexpr std::size_t qcow2_head_size = 64 << 10;
inline constexpr std::uint64_t most_l1_bytes = 32 << 20;  // as in QEMU

// `head` is the beginning of a file of `file_size` bytes: all of it, or qcow2_head_size bytes.
// Fails with unsupported, by name, where the image needs what is not here (a backing file, an
// external data file, encryption, features that nobody here knows), else with corrupt.
Result<Qcow2Header> parse_qcow2_header(std::span<const std::byte> head, std::uint64_t file_size);

}  // namespace sheaf::image

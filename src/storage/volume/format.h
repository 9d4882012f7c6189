#pragma once

// Why: the bytes of a volume, as docs/formats/volume.md has them, as structures whose layout the
// compiler checks. Numbers here are numbers there; nothing here reads or writes a file.

#include <array>
#include <cstdint>

namespace sheaf::volume {

inline constexpr std::uint64_t page_size = 4096;
inline constexpr std::uint64_t block_size = 4096;
inline constexpr std::uint64_t chunk_size = 128 << 10;
inline constexpr std::uint64_t region_size = 1 << 20;
inline constexpr std::uint64_t most_bytes = std::uint64_t{16} << 40;
inline constexpr unsigned blocks_per_chunk = chunk_size / block_size;
inline constexpr auto all_blocks = ~std::uint32_t{0};  // of a chunk, a bit each
inline constexpr unsigned chunks_per_page = 16;
inline constexpr unsigned fan_out = 256;

// Of a volume or a layer.
using Id = std::array<std::uint8_t, 16>;

enum class PageKind : std::uint16_t {
    superblock = 1,
    log,
    root,
    branch,
    directory,
    slots,
    intents,
    table,
};

struct PageHeader {
    std::uint64_t magic;
    std::uint32_t checksum;
    std::uint16_t version;
    std::uint16_t kind;
    std::uint32_t length;
    std::uint32_t reserved;
    Id owner;
    std::uint64_t position;
    std::uint64_t sequence;
    std::uint64_t reserved_too;
};
static_assert(sizeof(PageHeader) == 64);

// Where a page is and what it must be; all zeros: there is none.
struct Pointer {
    std::uint32_t checksum;
    std::uint32_t word;

    static Pointer to(std::uint32_t checksum, unsigned home, std::uint64_t sequence) {
        return {checksum, static_cast<std::uint32_t>(sequence << 2) | 2 | home};
    }
    bool present() const { return (word & 2) != 0; }
    unsigned home() const { return word & 1; }
    // The home that the next version goes to.
    unsigned other_home() const { return present() ? home() ^ 1 : 0; }
    bool operator==(const Pointer&) const = default;
};
static_assert(sizeof(Pointer) == 8);

// What a volume is; the page behind its header, from byte 64 on.
struct Superblock {
    std::uint64_t size;
    std::uint32_t block_size;
    std::uint32_t chunk_size;
    std::uint32_t region_size;
    std::uint32_t features;
    std::uint64_t incarnation;
    std::uint32_t state;
    std::uint32_t log_pages;
    std::uint64_t log_first;
    std::uint32_t log_previous;
    std::uint32_t head;
    std::uint32_t layers;
    std::uint32_t next_layer;
    std::uint64_t table_offset;
    std::uint32_t table_length;
    std::uint32_t table_checksum;
    std::uint64_t epoch;
    std::uint64_t generation;
    Id boot;
    std::uint64_t log_incarnation;
    std::uint64_t unbroken_since;
};
static_assert(sizeof(Superblock) == 128);

inline constexpr std::uint32_t feature_checksums = 1;
inline constexpr std::uint32_t feature_copy = 2;
inline constexpr std::uint32_t state_in_use = 0;
inline constexpr std::uint32_t state_closed = 1;
inline constexpr std::uint32_t state_closed_with_marks = 2;

struct LayerEntry {
    std::uint32_t number;
    std::uint32_t parent;
    Id id;
    Pointer root;
    std::uint32_t slots_end;
    std::uint32_t slots_used;
    std::uint32_t flags;
    std::uint32_t reserved;
    std::uint64_t created;
    std::uint64_t size;
    std::array<char, 64> name;
    std::array<std::uint8_t, 128> rest;
};
static_assert(sizeof(LayerEntry) == 256);

inline constexpr std::uint32_t layer_frozen = 1;
inline constexpr std::uint32_t layer_sealed = 2;
inline constexpr std::uint32_t layer_deleted = 4;
inline constexpr std::uint32_t layer_base = 8;

struct LogHeader {  // from byte 64 on
    std::uint32_t previous;
    std::uint16_t records;
    std::uint16_t reserved;
    std::uint64_t incarnation;
};
inline constexpr std::size_t first_record = 128;

// What a chunk's entry is: stable, content and all; or written, which counts as long as the host
// has not gone down since.
enum class RecordType : std::uint16_t { chunk = 1, written_chunk };

struct RecordHeader {
    std::uint16_t type;
    std::uint16_t length;
};

struct ChunkRecord {
    RecordHeader header;
    std::uint32_t layer;
    std::uint32_t chunk;
    std::uint32_t slot;
    std::uint64_t states;
    std::uint32_t file;
    std::uint32_t reserved;
};
static_assert(sizeof(ChunkRecord) == 32);

// Bits of an intents page, behind its header.
inline constexpr std::uint64_t regions_per_page = (page_size - sizeof(PageHeader)) * 8;

}  // namespace sheaf::volume

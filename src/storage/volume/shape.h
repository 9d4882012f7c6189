#pragma once

// Why: what a volume is made of and made like, for those who open and create volumes.

#include <array>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/wall_clock.h"
#include "io/operation.h"
#include "storage/volume/format.h"
#include "storage/volume/mutation.h"
#include "storage/volume/slot_space.h"

namespace sheaf::volume {

// The open files of a volume, all read and write, and past the page cache where that is possible.
struct LayerFiles {
    Id id;
    Fd map;
    Fd data;
    std::uint64_t data_size = 0;  // bytes
};
struct Files {
    std::array<Fd, 2> journal;
    Fd intent;
    std::vector<LayerFiles> layers;
};

enum class Checksums : std::uint8_t { off, on };

// All that there is of a volume, or one copy of a replicated one: then its engine alone may change
// it, and the mark of a region that nobody writes any more is not taken back by itself, but when it
// is known that all copies are alike there.
enum class Role : std::uint8_t { whole, copy };

struct Shape {
    std::uint64_t size = 0;  // bytes, a multiple of 4096
    Checksums checksums = Checksums::on;
    Role role = Role::whole;
    Id id{};
    Id head{};  // of its first layer
    std::uint32_t log_pages = 1024;
    // Frozen layers below the head, oldest first, as Volume::chain() gives them; none: all zeros.
    std::vector<LayerEntry> base;
};

// What a copy of a replicated volume keeps of the membership record (docs/formats/membership.md).
struct Stamp {
    std::uint64_t epoch = 0;
    std::uint64_t generation = 0;
    auto operator<=>(const Stamp&) const = default;
};

// What was frozen under a name.
struct Snapshot {
    std::string name;
    std::uint64_t created = 0;    // nanoseconds since 1970
    std::uint64_t size = 0;       // of the volume then, bytes
    std::uint64_t own_bytes = 0;  // that no other layer has
};

// Merging, as far as it has come: bytes of the chunks that are looked at.
struct MergeProgress {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
};

struct Options {
    Growth growth{};
    std::size_t most_clean_pages = 8192;      // of all maps together, 4 KiB each
    std::size_t most_index_bytes = 64 << 20;  // of what says which layer has what
    std::size_t most_idle_staging = 4 << 20;  // bytes kept for the next writes
    std::size_t most_changed_pages = 2048;    // then a checkpoint is made
    std::uint64_t most_marked =
        32768;  // regions; beyond it the ones written longest ago are cleaned
    io::Duration idle = std::chrono::seconds{5};  // a region not written so long is cleaned
    io::Duration upkeep_interval = std::chrono::seconds{1};
    Role role = Role::whole;           // as what it is opened
    std::size_t merge_batch = 256;     // chunks that are merged from one checkpoint to the next
    std::size_t most_free_slots = 64;  // that keep their room; more give it back
    const WallClock* clock = nullptr;  // of what is named; none: the host's
    // Of the host, from one start of it to the next. Zeros: not known, and then what was answered
    // but not flushed may be lost when this process is killed.
    Id boot{};
    Mutation mutation = Mutation::none;  // for tests of tests
};

// What has happened to an open volume, for metrics and tests.
struct Counters {
    std::uint64_t checkpoints = 0;
    std::uint64_t checksum_errors = 0;
    std::uint64_t scribbles = 0;  // a guest changed a buffer while it was read into
    std::uint64_t regions_reconciled = 0;
    std::uint64_t regions_cleaned = 0;
    std::uint64_t records_replayed = 0;
    std::uint64_t merges = 0;         // layers that were merged away
    std::uint64_t chunks_merged = 0;  // whose content was copied for that
    std::uint64_t slots_punched = 0;

    void add(const Counters& other) {
        checkpoints += other.checkpoints;
        checksum_errors += other.checksum_errors;
        scribbles += other.scribbles;
        regions_reconciled += other.regions_reconciled;
        regions_cleaned += other.regions_cleaned;
        records_replayed += other.records_replayed;
        merges += other.merges;
        chunks_merged += other.chunks_merged;
        slots_punched += other.slots_punched;
    }
};

// Whether so many bytes there are whole sectors of a disk of this size; invalid where not.
Result<void> check_range(std::uint64_t offset, std::uint64_t length, std::uint64_t size);

}  // namespace sheaf::volume

#pragma once

// Why: what a volume is made of and made like, for those who open and create volumes.

#include <array>
#include <vector>

#include "base/fd.h"
#include "io/operation.h"
#include "storage/volume/format.h"
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

struct Shape {
    std::uint64_t size = 0;  // bytes, a multiple of 4096
    Checksums checksums = Checksums::on;
    Id id{};
    Id head{};  // of its first layer
    std::uint32_t log_pages = 1024;
};

struct Options {
    Growth growth{};
    std::size_t most_clean_pages = 8192;    // of each layer's map, 4 KiB each
    std::size_t most_changed_pages = 2048;  // then a checkpoint is made
    std::uint64_t most_marked =
        32768;  // regions; beyond it the ones written longest ago are cleaned
    io::Duration idle = std::chrono::seconds{5};  // a region not written so long is cleaned
    io::Duration upkeep_interval = std::chrono::seconds{1};
};

// What has happened to an open volume, for metrics and tests.
struct Counters {
    std::uint64_t checkpoints = 0;
    std::uint64_t checksum_errors = 0;
    std::uint64_t scribbles = 0;  // a guest changed a buffer while it was read into
    std::uint64_t regions_reconciled = 0;
    std::uint64_t regions_cleaned = 0;
    std::uint64_t records_replayed = 0;

    void add(const Counters& other) {
        checkpoints += other.checkpoints;
        checksum_errors += other.checksum_errors;
        scribbles += other.scribbles;
        regions_reconciled += other.regions_reconciled;
        regions_cleaned += other.regions_cleaned;
        records_replayed += other.records_replayed;
    }
};

}  // namespace sheaf::volume

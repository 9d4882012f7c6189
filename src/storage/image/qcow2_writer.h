#pragma once

// Why: an export is a qcow2 file that any program reads. It is written from front to back, with
// nothing in memory but one table of each kind: header and L1 table keep their places, data and L2
// tables follow in order, reference counts come last, and the header when all else is there.
// What: qemu's docs/interop/qcow2.txt; version 3, clusters of 64 KiB.

#include <vector>

#include "storage/image/copy.h"
#include "storage/volume/file.h"

namespace sheaf::image {

class Qcow2Writer final : public CopyTarget {
  public:
    static constexpr std::uint64_t cluster_size = 64 << 10;
    // What one L2 table speaks of: 512 MiB.
    static constexpr std::uint64_t table_coverage = cluster_size / 8 * cluster_size;

    // Of a disk of `size` bytes into an empty file, which outlives it. Fails with unsupported where
    // a disk is too large for the format's tables (2 PiB).
    static Result<Qcow2Writer> create(volume::File& file, std::uint64_t size);

    // CopyTarget. Only places of one table's range are stored until end_table().
    std::uint64_t grain() const override { return cluster_size; }
    io::Task<void> store(std::uint64_t offset, std::span<std::byte> bytes) override;
    // Writes the table of what was stored in [offset, offset + table_coverage).
    io::Task<void> end_table(std::uint64_t offset);
    // Makes it an image. Nothing is stored afterwards.
    io::Task<void> finish();

  private:
    Qcow2Writer(volume::File& file, std::uint64_t size, std::uint64_t l1_entries);
    io::Task<void> write_counts();
    io::Task<void> write_header();
    std::uint64_t take_clusters(std::uint64_t count);

    volume::File* file_;
    std::uint64_t size_;
    std::vector<std::byte> l1_;  // as in the file, whole clusters
    std::uint64_t l1_entries_;
    std::vector<std::byte> l2_;
    bool l2_used_ = false;
    std::uint64_t next_cluster_;
    std::uint64_t counts_ = 0;  // the first cluster of the table of reference counts
    std::uint64_t counts_clusters_ = 0;
};

}  // namespace sheaf::image

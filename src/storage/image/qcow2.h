#pragma once

// Why: images come as qcow2, from strangers. This reads the active layer of versions 2 and 3 as a
// disk that never changes; nothing in the file can make it read elsewhere, take memory that the
// file does not warrant, or work without end. What: qemu's docs/interop/qcow2.txt.

#include <memory>

#include "storage/block.h"
#include "storage/extents.h"
#include "storage/image/decompressor.h"
#include "storage/image/qcow2_entry.h"
#include "storage/image/table_cache.h"

namespace sheaf::image {

// Made for going through an image once: a compressed cluster is expanded for each request that
// touches it, so requests of whole clusters (the preferred block size) are the fast ones. Memory:
// 4.5 MiB of tables, and for each request in flight a compressed cluster and an expanded one.
class Qcow2 final : public storage::Block, public storage::Extents {
  public:
    // `file` is open for reading through the page cache and has `file_size` bytes. Fails with
    // unsupported or corrupt where it cannot be read as an image, in words that follow its name.
    static io::Task<std::unique_ptr<Qcow2>> open(io::Loop& loop, Fd file, std::uint64_t file_size);
    Qcow2(volume::File file, std::uint64_t file_size, const Qcow2Header& header,
          std::unique_ptr<Decompressor> decompressor);  // for open()

    const Qcow2Header& header() const { return header_; }

    // Block. What changes it fails with denied, what is damaged with corrupt.
    storage::Geometry geometry() const override;
    io::Task<void> read(std::uint64_t offset, std::span<const iovec> vectors) override;
    io::Task<void> write(std::uint64_t offset, std::span<const iovec> vectors) override;
    io::Task<void> flush() override;
    io::Task<void> discard(std::uint64_t offset, std::uint64_t length) override;
    io::Task<void> zero(std::uint64_t offset, std::uint64_t length, storage::Space space) override;

    // Extents.
    io::Task<std::vector<storage::Extent>> extents(std::uint64_t offset, std::uint64_t length,
                                                   std::size_t most) override;

  private:
    Result<void> check_range(std::uint64_t offset, std::uint64_t length) const;
    io::Task<Stretch> stretch_at(std::uint64_t offset, std::uint64_t length);
    Result<Stretch> in_table(std::span<const std::byte> entries, std::uint64_t within,
                             std::uint64_t length) const;
    io::Task<void> read_stretch(const Stretch& stretch, std::uint64_t offset,
                                std::span<const iovec> into);
    io::Task<void> read_data(std::uint64_t host, std::span<const iovec> into);
    io::Task<void> expand(const Stretch& stretch, std::uint64_t within,
                          std::span<const iovec> into);

    volume::File file_;
    std::uint64_t file_size_;
    Qcow2Header header_;
    std::unique_ptr<Decompressor> decompressor_;
    TableCache l1_;
    TableCache l2_;
};

}  // namespace sheaf::image

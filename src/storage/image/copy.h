#pragma once

// Why: imports and exports are one thing: what a disk holds goes elsewhere, and what reads as zeros
// stays behind.

#include <functional>

#include "io/event.h"
#include "io/task_group.h"
#include "storage/block.h"
#include "storage/buffer_pool.h"
#include "storage/extents.h"

namespace sheaf::image {

// Where a copy goes; it reads as zeros wherever nothing is stored. Loop thread only.
class CopyTarget {
  public:
    virtual ~CopyTarget() = default;

    // What is stored begins and ends at multiples of this, or at the disk's end; a power of two up
    // to 1 MiB.
    virtual std::uint64_t grain() const = 0;
    // Stores what is not all zeros, each place once; requests in flight are not ordered. The memory
    // stays until it ends.
    virtual io::Task<void> store(std::uint64_t offset, std::span<std::byte> bytes) = 0;
};

// Bytes of the disk looked at, and its size.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Copies a disk in pieces of 1 MiB, or of a block where the source prefers larger ones; four at a
// time, which is all the memory it takes. Everything outlives it. Loop thread only.
class Copier {
  public:
    Copier(io::Loop& loop, storage::Block& from, storage::Extents& extents, CopyTarget& to,
           Progress progress);

    // The range begins at a multiple of the piece's size. When it ends nothing is in flight; after
    // it has failed it is of no use.
    io::Task<void> copy(std::uint64_t begin, std::uint64_t end);
    std::uint64_t size() const { return size_; }
    std::uint64_t stored() const { return stored_; }  // bytes that were not zeros

  private:
    struct Piece {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
    };

    io::Task<void> start_pieces(std::uint64_t begin, std::uint64_t end);
    io::Task<void> add(Piece data);
    io::Task<void> start(Piece piece);
    io::Task<void> move(Piece piece);
    io::Task<void> move_bytes(Piece piece);

    storage::Block& from_;
    storage::Extents& extents_;
    CopyTarget& to_;
    Progress progress_;
    std::uint64_t size_;
    std::uint64_t unit_;
    Piece pending_;  // of data in one unit; empty: none
    storage::BufferPool buffers_;
    unsigned in_flight_ = 0;
    bool failed_ = false;
    std::uint64_t stored_ = 0;
    io::Event room_;
    io::TaskGroup group_;
};

}  // namespace sheaf::image

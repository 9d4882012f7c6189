#pragma once

// Why: a disk, whatever is behind it. Devices know only this; files, volumes, replicas and test
// faults are implementations that can be stacked.

#include <cstdint>
#include <span>

#include "io/task.h"

struct iovec;

namespace sheaf::storage {

struct Geometry {
    std::uint64_t size = 0;          // bytes, a multiple of block_size
    std::uint32_t block_size = 512;  // smallest unit of a request, bytes
    std::uint32_t preferred_block_size = 4096;
    std::uint32_t discard_granularity = 0;  // bytes; 0: discard is not offered
    bool read_only = false;
};

// What becomes of the space of a zeroed range.
enum class Space { keep, release };

// Offsets and lengths are bytes, multiples of block_size, checked by every implementation against
// its size (Kind::invalid). Requests in flight are not ordered among each other. Loop thread only.
// The buffers behind `vectors` stay valid until the task ends.
class Block {
  public:
    virtual ~Block() = default;

    virtual Geometry geometry() const = 0;
    virtual io::Task<void> read(std::uint64_t offset, std::span<const iovec> vectors) = 0;
    virtual io::Task<void> write(std::uint64_t offset, std::span<const iovec> vectors) = 0;
    // Everything written and completed before this was called survives a power cut afterwards.
    virtual io::Task<void> flush() = 0;
    // The content may become anything; the space may be reused.
    virtual io::Task<void> discard(std::uint64_t offset, std::uint64_t length) = 0;
    virtual io::Task<void> zero(std::uint64_t offset, std::uint64_t length, Space space) = 0;
};

}  // namespace sheaf::storage

#pragma once

// Why: a guest may print faster than anybody reads. The newest bytes explain how it ended, so the
// oldest make room, and the reader is told how many are missing.

#include <cstdint>
#include <mutex>
#include <string>

#include "devices/console/byte_ring.h"

namespace sheaf::console {

// Any thread; the lock is held for copying at most `capacity` bytes, never across a system call.
class Output {
  public:
    explicit Output(std::size_t capacity) : ring_(capacity) {}

    void write(std::span<const std::byte> bytes);
    // The next bytes for the reader, 0 where there are none. A loss is announced in the stream,
    // where it happened: "[sheaf: 123 bytes of console output lost]".
    std::size_t take(std::span<std::byte> bytes);
    // Bytes lost so far, told or not.
    std::uint64_t lost() const;

  private:
    mutable std::mutex mutex_;
    ByteRing ring_;
    std::string note_;  // the rest of an announcement that take() has begun
    std::uint64_t lost_ = 0;
    std::uint64_t announced_ = 0;
};

}  // namespace sheaf::console

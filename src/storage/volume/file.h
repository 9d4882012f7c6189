#pragma once

// Why: the kernel may move less than it was asked to, and files in memory are served another way
// than files on devices. Above this, a transfer is whole or has failed.

#include <span>

#include "base/fd.h"
#include "io/loop.h"
#include "io/task.h"

namespace sheaf::volume {

// A file of a volume. Offsets and lengths are bytes; where the file is opened past the page cache
// they, and the memory, are multiples of 512. Loop thread only.
class File {
  public:
    static Result<File> create(io::Loop& loop, Fd fd);

    // Fails with io where the file ends early.
    io::Task<void> read(std::span<std::byte> into, std::uint64_t offset);
    io::Task<void> read(std::span<const iovec> into, std::uint64_t offset);
    io::Task<void> write(std::span<const std::byte> from, std::uint64_t offset);
    io::Task<void> write(std::span<const iovec> from, std::uint64_t offset);
    // Everything written and completed before is stable afterwards.
    io::Task<void> sync();
    // Makes the file at least offset + length long, with room behind every byte of the range.
    io::Task<void> allocate(std::uint64_t offset, std::uint64_t length);
    // Gives the room of a range back; it reads as zeros.
    io::Task<void> punch(std::uint64_t offset, std::uint64_t length);
    // Fails with exhausted where the file system has fewer bytes free for its users.
    Result<void> check_free(std::uint64_t bytes) const;
    // Gives back the room behind this many bytes. Blocks: it is rare, and what is cut off is new.
    Result<void> cut(std::uint64_t length) const;

  private:
    File(io::Loop& loop, Fd fd, io::Pace pace) : loop_(&loop), fd_(std::move(fd)), pace_(pace) {}

    io::Loop* loop_;
    Fd fd_;
    io::Pace pace_;
};

}  // namespace sheaf::volume

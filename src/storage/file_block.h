#pragma once

// Why: the disk that is a raw file or a block device of the host. Guest memory goes to the kernel
// as it is: no copy, no thread, one submission for all requests of a loop turn.

#include <memory>

#include "base/fd.h"
#include "io/loop.h"
#include "storage/block.h"
#include "storage/disk_file.h"

namespace sheaf::storage {

class FileBlock final : public Block {
  public:
    // Takes an open disk (see open_disk). Whether it is writable, and whether the page cache is
    // left out, are what the descriptor's flags say. The loop outlives the disk.
    static Result<std::unique_ptr<FileBlock>> create(io::Loop& loop, Fd disk);

    // Block. Fails with denied where a read-only disk is asked to change.
    Geometry geometry() const override { return geometry_; }
    io::Task<void> read(std::uint64_t offset, std::span<const iovec> vectors) override;
    io::Task<void> write(std::uint64_t offset, std::span<const iovec> vectors) override;
    io::Task<void> flush() override;
    io::Task<void> discard(std::uint64_t offset, std::uint64_t length) override;
    io::Task<void> zero(std::uint64_t offset, std::uint64_t length, Space space) override;

    // Looks at the size again; true if it changed. Requests are checked against the new size.
    Result<bool> refresh();

  private:
    enum class Direction { read, write };

    // Something on the disk is being changed: when this ends, well or not, the next flush has work.
    class Change {
      public:
        explicit Change(FileBlock& disk) : disk_(disk) {}
        Change(const Change&) = delete;
        Change& operator=(const Change&) = delete;
        ~Change() { ++disk_.changes_; }

      private:
        FileBlock& disk_;
    };

    // fallocate(2) modes in the order they are tried; one that the file system lacks is not tried
    // again.
    struct Method {
        int mode = 0;
        bool lacking = false;
    };

    FileBlock(io::Loop& loop, Fd disk, Alignment alignment, io::Pace pace)
        : loop_(loop), disk_(std::move(disk)), alignment_(alignment), pace_(pace) {}

    Result<void> check_range(std::uint64_t offset, std::uint64_t length) const;
    Result<void> check_writable() const;
    bool aligned(std::span<const iovec> vectors) const;
    io::Task<void> transfer(Direction direction, std::uint64_t offset,
                            std::span<const iovec> vectors);
    io::Task<void> read_straight(std::uint64_t offset, std::span<const iovec> vectors,
                                 std::size_t length);
    io::Task<void> write_straight(std::uint64_t offset, std::span<const iovec> vectors,
                                  std::size_t length);
    io::Task<void> continue_straight(Direction direction, std::uint64_t offset,
                                     std::span<const iovec> vectors, std::size_t done,
                                     std::size_t length);
    io::Task<void> bounce(Direction direction, std::uint64_t offset, std::span<const iovec> vectors,
                          std::size_t length);
    io::Task<bool> try_method(Method& method, std::uint64_t offset, std::uint64_t length);
    io::Task<void> write_zeroes(std::uint64_t offset, std::uint64_t length);

    io::Loop& loop_;
    Fd disk_;
    Alignment alignment_;
    io::Pace pace_;
    Geometry geometry_;
    Method punch_hole_;
    Method zero_range_;

    // A flush may be left out when nothing changed since the last one that succeeded began.
    // Whatever was there before this process is not known to be on the medium, hence 1.
    std::uint64_t changes_ = 1;
    std::uint64_t flushed_ = 0;
    bool flush_failed_ = false;
};

}  // namespace sheaf::storage

#include "storage/volume/file.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "base/units.h"
#include "io/pace.h"
#include "storage/vectors.h"

namespace sheaf::volume {

namespace {

constexpr std::size_t unit = 512;  // a transfer that was cut short goes on at a whole one

}  // namespace

Result<File> File::create(io::Loop& loop, Fd fd) {
    const auto pace = TRY(io::pace_of(fd.get()));
    return File{loop, std::move(fd), pace};
}

io::Task<void> File::read(std::span<std::byte> into, std::uint64_t offset) {
    const iovec piece{into.data(), into.size()};
    co_await read(std::span{&piece, 1}, offset);
}

io::Task<void> File::write(std::span<const std::byte> from, std::uint64_t offset) {
    for (std::size_t done = 0; done < from.size();) {
        const auto begin = align_down(done, unit);
        const auto rest = from.subspan(begin);
        const auto count = co_await loop_->write(fd_.get(), rest, offset + begin, pace_);
        if (begin + count <= done)
            co_await fail(Kind::io, "no more than {} of {} bytes could be written at {}", done,
                          from.size(), offset);
        done = begin + count;
    }
}

io::Task<void> File::read(std::span<const iovec> into, std::uint64_t offset) {
    const auto length = storage::length_of(into);
    const auto first = into.first(std::min<std::size_t>(into.size(), IOV_MAX));
    auto done = co_await loop_->read(fd_.get(), first, offset, pace_);
    while (done < length) {
        const auto from = align_down(done, unit);
        storage::VectorCursor cursor{into};
        cursor.skip(from);
        const auto rest = cursor.next(IOV_MAX);
        const auto count = co_await loop_->read(fd_.get(), rest, offset + from, pace_);
        if (from + count <= done)
            co_await fail(Kind::io, "the file ends {} bytes into a read of {} at {}", done, length,
                          offset);
        done = from + count;
    }
}

io::Task<void> File::write(std::span<const iovec> from, std::uint64_t offset) {
    const auto length = storage::length_of(from);
    const auto first = from.first(std::min<std::size_t>(from.size(), IOV_MAX));
    auto done = co_await loop_->write(fd_.get(), first, offset, pace_);
    while (done < length) {
        const auto begin = align_down(done, unit);
        storage::VectorCursor cursor{from};
        cursor.skip(begin);
        const auto rest = cursor.next(IOV_MAX);
        const auto count = co_await loop_->write(fd_.get(), rest, offset + begin, pace_);
        if (begin + count <= done)
            co_await fail(Kind::io, "no more than {} of {} bytes could be written at {}", done,
                          length, offset);
        done = begin + count;
    }
}

io::Task<void> File::sync() {
    co_await loop_->fdatasync(fd_.get(), pace_);
}

io::Task<void> File::allocate(std::uint64_t offset, std::uint64_t length) {
    co_await loop_->fallocate(fd_.get(), 0, offset, length, pace_);
}

io::Task<void> File::punch(std::uint64_t offset, std::uint64_t length) {
    constexpr auto mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    co_await loop_->fallocate(fd_.get(), mode, offset, length, pace_);
}

Result<void> File::check_free(std::uint64_t bytes) const {
    struct statvfs status{};
    TRY(checked(::fstatvfs(fd_.get(), &status), "asking how much is free"));
    const auto free = status.f_bavail * status.f_frsize;
    if (free < bytes)
        return fail(Kind::exhausted, "the file system has {} bytes free, and {} are needed", free,
                    bytes);
    return {};
}

Result<void> File::cut(std::uint64_t length) const {
    TRY(checked(::ftruncate(fd_.get(), static_cast<off_t>(length)), "cutting a data file"));
    return {};
}

}  // namespace sheaf::volume

#include "storage/file_block.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <climits>
#include <utility>

#include "base/units.h"
#include "io/pace.h"
#include "storage/aligned_buffer.h"
#include "storage/vectors.h"

namespace sheaf::storage {

namespace {

constexpr std::size_t bounce_size = 64_KiB;  // the most memory one unaligned request holds
constexpr std::size_t zeroes_size = 64_KiB;
constexpr std::size_t zeroes_per_write = 16;

// A task that has failed already.
io::Task<void> failed(Error error) {
    Failure failure{std::move(error)};
    co_await std::move(failure);
}

// Asks whether holes can be punched, by punching one behind the end, where nothing is.
bool punches_holes(const Fd& disk, std::uint64_t size) {
    const auto end = align_up(size, std::uint64_t{4096});
    return ::fallocate(disk.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                       static_cast<off_t>(end), 4096) == 0;
}

Result<Geometry> geometry_of(const Fd& disk) {
    struct stat status{};
    TRY(checked(::fstat(disk.get(), &status), "reading what the disk is"));
    const auto flags = TRY(checked(::fcntl(disk.get(), F_GETFL), "reading flags"));
    Geometry geometry;
    geometry.size = align_down(TRY(size_of(disk)), std::uint64_t{geometry.block_size});
    geometry.read_only = (flags & O_ACCMODE) == O_RDONLY;
    if (!S_ISBLK(status.st_mode)) {
        const auto preferred = std::clamp<blksize_t>(status.st_blksize, 4096, 64_KiB);
        geometry.preferred_block_size = static_cast<std::uint32_t>(preferred);
        if (!geometry.read_only && punches_holes(disk, geometry.size))
            geometry.discard_granularity = geometry.preferred_block_size;
        return geometry;
    }
    unsigned physical = 0;
    TRY(checked(::ioctl(disk.get(), BLKPBSZGET, &physical), "reading the physical sector size"));
    geometry.preferred_block_size = std::max(physical, geometry.block_size);
    if (!geometry.read_only) geometry.discard_granularity = geometry.preferred_block_size;
    return geometry;
}

}  // namespace

Result<std::unique_ptr<FileBlock>> FileBlock::create(io::Loop& loop, Fd disk) {
    const auto alignment = TRY(alignment_of(disk));
    const auto geometry = TRY(geometry_of(disk));
    if (alignment.offset > geometry.block_size)
        return fail(Kind::unsupported, "the disk moves units of {} bytes, not {}", alignment.offset,
                    geometry.block_size);
    const auto pace = TRY(io::pace_of(disk.get()));
    auto block = std::unique_ptr<FileBlock>{new FileBlock{loop, std::move(disk), alignment, pace}};
    block->geometry_ = geometry;
    block->punch_hole_.mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    block->zero_range_.mode = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
    return block;
}

Result<bool> FileBlock::refresh() {
    const auto size = align_down(TRY(size_of(disk_)), std::uint64_t{geometry_.block_size});
    return std::exchange(geometry_.size, size) != size;
}

Result<void> FileBlock::check_range(std::uint64_t offset, std::uint64_t length) const {
    const auto end = checked_add(offset, length);
    if ((offset | length) % geometry_.block_size != 0)
        return fail(Kind::invalid, "{} bytes at {} are not whole blocks", length, offset);
    if (!end || *end > geometry_.size)
        return fail(Kind::invalid, "{} bytes at {} reach beyond the end at {}", length, offset,
                    geometry_.size);
    return {};
}

Result<void> FileBlock::check_writable() const {
    if (geometry_.read_only) return fail(Kind::denied, "the disk is read-only");
    return {};
}

bool FileBlock::aligned(std::span<const iovec> vectors) const {
    if (alignment_.memory <= 1 && alignment_.offset <= 1) return true;
    std::uintptr_t addresses = 0;
    std::size_t lengths = 0;
    for (const auto& vector : vectors) {
        addresses |= std::bit_cast<std::uintptr_t>(vector.iov_base);
        lengths |= vector.iov_len;
    }
    return addresses % alignment_.memory == 0 && lengths % alignment_.offset == 0;
}

// Not a coroutine: it picks the one that runs, so that the usual request costs a single frame.
io::Task<void> FileBlock::transfer(Direction direction, std::uint64_t offset,
                                   std::span<const iovec> vectors) {
    const auto length = length_of(vectors);
    auto allowed = check_range(offset, length);
    if (allowed && direction == Direction::write) allowed = check_writable();
    if (!allowed) return failed(std::move(allowed).error());
    if (!aligned(vectors)) return bounce(direction, offset, vectors, length);
    if (direction == Direction::read) return read_straight(offset, vectors, length);
    return write_straight(offset, vectors, length);
}

io::Task<void> FileBlock::read(std::uint64_t offset, std::span<const iovec> vectors) {
    return transfer(Direction::read, offset, vectors);
}

io::Task<void> FileBlock::write(std::uint64_t offset, std::span<const iovec> vectors) {
    return transfer(Direction::write, offset, vectors);
}

io::Task<void> FileBlock::read_straight(std::uint64_t offset, std::span<const iovec> vectors,
                                        std::size_t length) {
    const auto now = vectors.first(std::min<std::size_t>(vectors.size(), IOV_MAX));
    const auto done = co_await loop_.read(disk_.get(), now, offset, pace_);
    if (done < length) co_await continue_straight(Direction::read, offset, vectors, done, length);
}

io::Task<void> FileBlock::write_straight(std::uint64_t offset, std::span<const iovec> vectors,
                                         std::size_t length) {
    Change change{*this};
    const auto now = vectors.first(std::min<std::size_t>(vectors.size(), IOV_MAX));
    const auto done = co_await loop_.write(disk_.get(), now, offset, pace_);
    if (done < length) co_await continue_straight(Direction::write, offset, vectors, done, length);
}

// The rest of a transfer that the kernel cut short. A direct transfer goes on at a whole unit.
io::Task<void> FileBlock::continue_straight(Direction direction, std::uint64_t offset,
                                            std::span<const iovec> vectors, std::size_t done,
                                            std::size_t length) {
    while (done < length) {
        const auto from = align_down(done, std::size_t{alignment_.offset});
        VectorCursor cursor{vectors};
        cursor.skip(from);
        const auto rest = cursor.next(IOV_MAX);
        std::size_t last = 0;
        if (direction == Direction::read) {
            last = co_await loop_.read(disk_.get(), rest, offset + from, pace_);
        } else {
            last = co_await loop_.write(disk_.get(), rest, offset + from, pace_);
        }
        if (from + last <= done)
            co_await fail(Kind::io, "the file ends {} bytes into a transfer of {}", done, length);
        done = from + last;
    }
}

// Pieces that a direct transfer refuses pass through a buffer of our own.
io::Task<void> FileBlock::bounce(Direction direction, std::uint64_t offset,
                                 std::span<const iovec> vectors, std::size_t length) {
    const auto room = std::min(align_up(length, AlignedBuffer::alignment), bounce_size);
    AlignedBuffer buffer{room};
    if (buffer.bytes().empty()) co_await fail(Kind::exhausted, "no memory for {} bytes", room);
    VectorCursor cursor{vectors};
    for (std::size_t done = 0; done < length;) {
        const auto part = buffer.bytes().first(std::min(room, length - done));
        const iovec piece{part.data(), part.size()};
        const std::span pieces{&piece, 1};
        if (direction == Direction::write) {
            cursor.copy_out(part);
            co_await write_straight(offset + done, pieces, part.size());
        } else {
            co_await read_straight(offset + done, pieces, part.size());
            cursor.copy_in(part);
        }
        done += part.size();
    }
}

io::Task<void> FileBlock::flush() {
    // The kernel reports a failed write-back once and forgets it; a later success would be a lie.
    if (flush_failed_) co_await fail(Kind::io, "an earlier flush failed; written data is lost");
    const auto reached = changes_;
    if (flushed_ >= reached) co_return;
    auto outcome = co_await loop_.fdatasync(disk_.get(), pace_).result();
    if (!outcome && outcome.error().kind() != Kind::cancelled) flush_failed_ = true;
    co_await std::move(outcome);
    flushed_ = std::max(flushed_, reached);
}

// True where the range was done this way, false where the file system does not know how.
io::Task<bool> FileBlock::try_method(Method& method, std::uint64_t offset, std::uint64_t length) {
    if (method.lacking) co_return false;
    Change change{*this};
    auto outcome =
        co_await loop_.fallocate(disk_.get(), method.mode, offset, length, pace_).result();
    if (!outcome && outcome.error().kind() == Kind::unsupported) {
        method.lacking = true;
        co_return false;
    }
    co_await std::move(outcome);
    co_return true;
}

io::Task<void> FileBlock::discard(std::uint64_t offset, std::uint64_t length) {
    co_await check_range(offset, length);
    co_await check_writable();
    if (length == 0) co_return;
    // A discard is advice: where the host cannot take it, nothing has to happen.
    co_await try_method(punch_hole_, offset, length);
}

io::Task<void> FileBlock::zero(std::uint64_t offset, std::uint64_t length, Space space) {
    co_await check_range(offset, length);
    co_await check_writable();
    if (length == 0) co_return;
    if (space == Space::release) {
        const auto punched = co_await try_method(punch_hole_, offset, length);
        if (punched) co_return;
    }
    const auto zeroed = co_await try_method(zero_range_, offset, length);
    if (zeroed) co_return;
    co_await write_zeroes(offset, length);
}

io::Task<void> FileBlock::write_zeroes(std::uint64_t offset, std::uint64_t length) {
    AlignedBuffer zeroes{zeroes_size};
    if (zeroes.bytes().empty()) co_await fail(Kind::exhausted, "no memory for zeroes");
    std::ranges::fill(zeroes.bytes(), std::byte{0});
    std::array<iovec, zeroes_per_write> vectors;
    while (length > 0) {
        std::uint64_t part = 0;
        std::size_t count = 0;
        while (count < vectors.size() && part < length) {
            const auto piece = std::min<std::uint64_t>(zeroes_size, length - part);
            vectors[count++] = {zeroes.bytes().data(), piece};
            part += piece;
        }
        const auto pieces = std::span<const iovec>{vectors}.first(count);
        co_await write_straight(offset, pieces, part);
        offset += part;
        length -= part;
    }
}

}  // namespace sheaf::storage

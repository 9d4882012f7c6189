#include "storage/image/copy.h"

#include <sys/uio.h>

#include <algorithm>

#include <isa-l.h>

#include "base/units.h"

namespace sheaf::image {

namespace {

constexpr std::uint64_t least_unit = 1_MiB;
constexpr unsigned most_in_flight = 4;
constexpr std::size_t most_extents = 256;  // asked for at a time

bool all_zeros(std::span<std::byte> bytes) {
    return ::isal_zero_detect(bytes.data(), bytes.size()) == 0;
}

}  // namespace

Copier::Copier(io::Loop& loop, storage::Block& from, storage::Extents& extents, CopyTarget& to,
               Progress progress)
    : from_(from),
      extents_(extents),
      to_(to),
      progress_(std::move(progress)),
      size_(from.geometry().size),
      unit_(std::max<std::uint64_t>(least_unit, from.geometry().preferred_block_size)),
      buffers_(loop, most_in_flight * unit_) {}

io::Task<void> Copier::copy(std::uint64_t begin, std::uint64_t end) {
    auto started = co_await start_pieces(begin, end).result();
    if (!started) group_.cancel();
    auto moved = co_await group_.join().result();
    // What went wrong with a piece is why the walk ended early.
    co_await std::move(moved);
    co_await std::move(started);
}

io::Task<void> Copier::start_pieces(std::uint64_t begin, std::uint64_t end) {
    for (auto offset = begin; offset < end && !failed_;) {
        const auto found = co_await extents_.extents(offset, end - offset, most_extents);
        if (found.empty()) co_await fail(Kind::io, "the disk does not know what it holds");
        for (const auto& extent : found) {
            const auto last = offset + std::min(extent.length, end - offset);
            const Piece part{offset, last};
            if (extent.kind == storage::Extent::Kind::data) co_await add(part);
            offset = last;
        }
        if (progress_) progress_(offset, size_);
    }
    if (pending_.begin < pending_.end && !failed_) co_await start(pending_);
    pending_ = {};
}

// Gathers what is in one unit: it is read at once, holes and all.
io::Task<void> Copier::add(Piece data) {
    while (data.begin < data.end && !failed_) {
        const auto unit = align_down(data.begin, unit_);
        const auto begin = align_down(data.begin, to_.grain());
        const auto end = std::min(data.end, unit + unit_);
        const auto padded = std::min(align_up(end, to_.grain()), size_);
        if (pending_.begin < pending_.end && align_down(pending_.begin, unit_) == unit) {
            pending_.end = std::max(pending_.end, padded);
        } else {
            if (pending_.begin < pending_.end) co_await start(pending_);
            pending_ = {begin, padded};
        }
        data.begin = end;
        if (progress_) progress_(end, size_);
    }
}

io::Task<void> Copier::start(Piece piece) {
    while (in_flight_ >= most_in_flight) {
        room_.clear();
        co_await room_.wait();
    }
    if (failed_) co_return;
    ++in_flight_;
    group_.start(move(piece));
}

io::Task<void> Copier::move(Piece piece) {
    auto outcome = co_await move_bytes(piece).result();
    --in_flight_;
    failed_ = failed_ || !outcome;
    room_.set();
    co_await std::move(outcome);
}

io::Task<void> Copier::move_bytes(Piece piece) {
    const auto buffer = buffers_.take(unit_);
    if (buffer.bytes().empty()) co_await fail(Kind::exhausted, "no memory for {} bytes", unit_);
    const auto bytes = buffer.bytes().first(piece.end - piece.begin);
    const iovec vector{bytes.data(), bytes.size()};
    co_await from_.read(piece.begin, std::span{&vector, 1});
    const auto grain = to_.grain();
    std::size_t run = 0;  // of grains that are not zeros
    for (std::size_t at = 0; at < bytes.size();) {
        const auto length = std::min<std::size_t>(grain, bytes.size() - at);
        const auto zeros = all_zeros(bytes.subspan(at, length));
        at += length;
        if (!zeros) run += length;
        const auto begin = at - run - (zeros ? length : 0);
        if (run == 0 || (!zeros && at < bytes.size())) continue;
        stored_ += run;
        co_await to_.store(piece.begin + begin, bytes.subspan(begin, run));
        run = 0;
    }
}

}  // namespace sheaf::image

// Reading: which layer has each block, then its content, and whether that is what was written.

#include <algorithm>
#include <cstring>

#include "base/units.h"
#include "storage/aligned_buffer.h"
#include "storage/checksum.h"
#include "storage/vectors.h"
#include "storage/volume/volume.h"

namespace sheaf::volume {

// Blocks that lie together in one file, or that are all zeros.
struct Volume::Piece {
    File* file = nullptr;  // null: zeros
    std::uint64_t place = 0;
    std::uint64_t first = 0;                              // block of the volume
    std::vector<std::optional<std::uint32_t>> checksums;  // a block each; none: not to be checked

    std::uint64_t length() const { return checksums.size() * block_size; }
    bool continues_at(const File* other, std::uint64_t other_place) const {
        return file == other && (!file || place + length() == other_place);
    }
};

class Volume::Plan {
  public:
    void add(std::uint64_t block, File* file, std::uint64_t place,
             std::optional<std::uint32_t> checksum) {
        if (pieces.empty() || !pieces.back().continues_at(file, place))
            pieces.push_back({.file = file, .place = place, .first = block, .checksums = {}});
        pieces.back().checksums.push_back(checksum);
    }
    std::vector<Piece> pieces;
};

namespace {

constexpr std::size_t unit = 512;  // what a transfer past the page cache must be a multiple of
constexpr std::size_t most_bounced = 1_MiB;

std::uint32_t checksum_of(storage::VectorCursor& cursor) {
    std::uint32_t checksum = 0;
    for (std::size_t left = block_size; left > 0;) {
        const auto part = cursor.take(left);
        if (part.empty()) break;
        checksum = storage::crc32c(part, checksum);
        left -= part.size();
    }
    return checksum;
}

void fill_with_zeros(std::span<const iovec> vectors) {
    for (const auto& vector : vectors) std::memset(vector.iov_base, 0, vector.iov_len);
}

}  // namespace

// Requests that are not whole blocks pass through a buffer.
io::Task<void> Volume::read(std::uint64_t offset, std::span<const iovec> vectors) {
    const auto length = storage::length_of(vectors);
    co_await check_range(offset, length);
    if (length == 0) co_return;
    const auto first = offset / block_size;
    const auto end = align_up(offset + length, block_size) / block_size;
    const RangeLock::Range range{first, end, RangeLock::Mode::shared};
    const auto held = co_await blocks_.acquire(range);
    if ((offset | length) % block_size == 0 && storage::all_aligned(vectors, unit)) {
        co_await read_blocks(first, vectors);
        co_return;
    }
    const auto most = std::min<std::uint64_t>((end - first) * block_size, most_bounced);
    storage::AlignedBuffer buffer{most};
    if (buffer.bytes().empty()) co_await fail(Kind::exhausted, "no memory for {} bytes", most);
    storage::VectorCursor cursor{vectors};
    for (auto block = first; block < end;) {
        const auto count = std::min<std::uint64_t>(end - block, most / block_size);
        const auto part = buffer.bytes().first(count * block_size);
        const iovec piece{part.data(), part.size()};
        co_await read_blocks(block, std::span{&piece, 1});
        const auto skipped = block == first ? offset % block_size : 0;
        cursor.copy_in(part.subspan(skipped));
        block += count;
    }
}

// The caller holds the blocks.
io::Task<void> Volume::read_blocks(std::uint64_t first, std::span<const iovec> vectors) {
    const auto end = first + storage::length_of(vectors) / block_size;
    Plan plan;
    for (auto block = first; block < end;) {
        const auto stop = std::min(end, (block / blocks_per_chunk + 1) * blocks_per_chunk);
        co_await plan_chunk(block, stop, plan);
        block = stop;
    }
    if (plan.pieces.size() == 1) {
        co_await read_piece(plan.pieces.front(), vectors);
        co_return;
    }
    io::TaskGroup group;
    std::vector<std::vector<iovec>> parts;
    parts.reserve(plan.pieces.size());
    for (const auto& piece : plan.pieces) {
        const auto skipped = (piece.first - first) * block_size;
        parts.push_back(storage::slice(vectors, skipped, piece.length()));
        group.start(read_piece(piece, parts.back()));
    }
    co_await group.join();
}

// Blocks first to end, all of one chunk: each is what the topmost layer that has it says.
io::Task<void> Volume::plan_chunk(std::uint64_t first, std::uint64_t end, Plan& plan) {
    struct Source {
        File* file = nullptr;
        std::uint64_t place = 0;
        std::optional<std::uint32_t> checksum;
    };
    std::array<Source, blocks_per_chunk> sources{};
    const auto chunk = first / blocks_per_chunk;
    const auto trusted = checksums() && !untrusted_.contains(first * block_size / region_size);
    auto wanted = std::uint64_t{0};
    for (auto block = first; block < end; ++block) wanted |= 1ULL << (block % blocks_per_chunk);
    for (auto* layer = head_; layer && wanted != 0; layer = layer->parent) {
        auto page = co_await layer->map.page(chunk / chunks_per_page);
        const auto& entry = page->entry(chunk);
        if (entry.states == 0) continue;
        for (auto block = first % blocks_per_chunk; wanted >> block != 0; ++block) {
            const auto state = entry.state(static_cast<unsigned>(block));
            if ((wanted >> block & 1) == 0 || state == BlockState::absent) continue;
            wanted &= ~(1ULL << block);
            if (state != BlockState::data) continue;
            auto& source = sources.at(block);
            source.file = &layer->data;
            source.place = entry.slot * chunk_size + block * block_size;
            if (trusted) source.checksum = entry.checksums.at(block);
        }
    }
    for (auto block = first; block < end; ++block) {
        const auto& source = sources.at(block % blocks_per_chunk);
        plan.add(block, source.file, source.place, source.checksum);
    }
}

io::Task<void> Volume::read_piece(const Piece& piece, std::span<const iovec> vectors) {
    if (!piece.file) {
        fill_with_zeros(vectors);
        co_return;
    }
    co_await piece.file->read(vectors, piece.place);
    storage::VectorCursor cursor{vectors};
    for (std::uint64_t block = 0; block < piece.checksums.size(); ++block) {
        const auto found = checksum_of(cursor);
        const auto& expected = piece.checksums[block];
        if (!expected || *expected == found) continue;
        const auto into = storage::slice(vectors, block * block_size, block_size);
        co_await read_again(piece, block, into);
    }
}

// The guest may have written into its buffer while it was read into. In a buffer of our own nobody
// does: what differs there is wrong on the disk.
io::Task<void> Volume::read_again(const Piece& piece, std::uint64_t block,
                                  std::span<const iovec> into) {
    storage::AlignedBuffer buffer{block_size};
    if (buffer.bytes().empty()) co_await fail(Kind::exhausted, "no memory for a block");
    co_await piece.file->read(buffer.bytes(), piece.place + block * block_size);
    if (storage::crc32c(buffer.bytes()) != piece.checksums[block]) {
        ++counters_.checksum_errors;
        co_await fail(Kind::corrupt, "the block at {} is not what was written there",
                      (piece.first + block) * block_size);
    }
    ++counters_.scribbles;
    storage::VectorCursor{into}.copy_in(buffer.bytes());
}

}  // namespace sheaf::volume

#include "storage/volume/layer_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/units.h"
#include "io/task_group.h"
#include "storage/aligned_buffer.h"
#include "storage/checksum.h"
#include "storage/vectors.h"

namespace sheaf::volume {

// Blocks that lie together in one file, or that are all zeros.
struct LayerReader::Run {
    File* file = nullptr;  // null: zeros
    std::uint64_t place = 0;
    std::uint64_t first = 0;              // block of the volume
    std::span<const Checksum> checksums;  // a block each
};

struct LayerReader::Piece {
    File* file = nullptr;
    std::uint64_t place = 0;
    std::uint64_t first = 0;
    std::vector<Checksum> checksums;

    Run run() const { return {file, place, first, checksums}; }
    std::uint64_t length() const { return checksums.size() * block_size; }
    bool continues_at(const File* other, std::uint64_t other_place) const {
        return file == other && (!file || place + length() == other_place);
    }
};

class LayerReader::Plan {
  public:
    void add(std::uint64_t block, const BlockOwner& owner) {
        auto* file = owner.is_data() ? &owner.layer->data : nullptr;
        const auto place =
            file ? owner.slot * chunk_size + block % blocks_per_chunk * block_size : 0;
        if (pieces.empty() || !pieces.back().continues_at(file, place))
            pieces.push_back({.file = file, .place = place, .first = block, .checksums = {}});
        pieces.back().checksums.push_back(owner.checksum);
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
        storage::fetch_ahead(cursor.piece(block_size));
        checksum = storage::crc32c(part, checksum);
        left -= part.size();
    }
    return checksum;
}

void fill_with_zeros(std::span<const iovec> vectors) {
    for (const auto& vector : vectors) std::memset(vector.iov_base, 0, vector.iov_len);
}

}  // namespace

io::Task<void> LayerReader::read(LayerSpan layers, std::uint64_t first,
                                 std::span<const iovec> into) {
    const auto end = first + storage::length_of(into) / block_size;
    std::array<Checksum, blocks_per_chunk> checksums;
    if (const auto run = find_in_memory(layers, first, end, checksums)) {
        co_await read_run(*run, into);
        co_return;
    }
    Plan plan;
    for (auto block = first; block < end;) {
        const auto chunk = block / blocks_per_chunk;
        const auto stop = std::min(end, (chunk + 1) * blocks_per_chunk);
        const auto count = stop - block;
        const auto wanted = static_cast<std::uint32_t>(((std::uint64_t{1} << count) - 1)
                                                       << (block % blocks_per_chunk));
        const auto found = co_await owners(layers, chunk, wanted);
        for (; block < stop; ++block) plan.add(block, found.at(block % blocks_per_chunk));
    }
    if (plan.pieces.size() == 1) {
        co_await read_run(plan.pieces.front().run(), into);
        co_return;
    }
    io::TaskGroup group;
    std::vector<std::vector<iovec>> parts;
    parts.reserve(plan.pieces.size());
    for (const auto& piece : plan.pieces) {
        const auto skipped = (piece.first - first) * block_size;
        parts.push_back(storage::slice(into, skipped, piece.length()));
        group.start(read_run(piece.run(), parts.back()));
    }
    co_await group.join();
}

// Most reads are of blocks of one chunk that lie in one layer, whose page is in memory: these are
// found without a task for each step. Null where it is not so; nothing is said of zeros.
std::optional<LayerReader::Run> LayerReader::find_in_memory(LayerSpan layers, std::uint64_t first,
                                                            std::uint64_t end,
                                                            std::span<Checksum> checksums) {
    const auto chunk = first / blocks_per_chunk;
    const auto begin = static_cast<unsigned>(first % blocks_per_chunk);
    const auto count = end - first;
    if (layers.top != &stack_.head() || layers.end || begin + count > blocks_per_chunk)
        return std::nullopt;
    auto* layer = layers.top;
    if (layer->parent) {
        const auto* known = index_.find(chunk / chunks_per_page);
        if (!known) return std::nullopt;
        const auto& owners = known->chunks.at(chunk % chunks_per_page);
        layer = owners.owner(begin);
        for (unsigned block = 1; block < count && owners.mixed(); ++block)
            if (owners.owner(begin + block) != layer) return std::nullopt;
    }
    auto* page = layer ? layer->map.find(chunk / chunks_per_page) : nullptr;
    if (!page) return std::nullopt;
    const auto& entry = page->entry(chunk);
    for (unsigned block = 0; block < count; ++block) {
        if (entry.state(begin + block) != BlockState::data) return std::nullopt;
        checksums[block] = checksum(*layer, entry, chunk, begin + block);
    }
    return Run{&layer->data, entry.slot * chunk_size + begin * block_size, first,
               checksums.first(count)};
}

io::Task<void> LayerReader::read_chunk(const ChunkOwners& owners, std::uint64_t chunk,
                                       std::span<std::byte> into) {
    Plan plan;
    for (unsigned block = 0; block < blocks_per_chunk; ++block)
        plan.add(chunk * blocks_per_chunk + block, owners.at(block));
    for (const auto& piece : plan.pieces) {
        const auto part =
            into.subspan((piece.first - chunk * blocks_per_chunk) * block_size, piece.length());
        const iovec vector{part.data(), part.size()};
        co_await read_run(piece.run(), std::span{&vector, 1});
    }
}

// What is frozen has all its checksums, or none. The head's are those of its blocks, but where a
// crash or a failed write left it open.
LayerReader::Checksum LayerReader::checksum(const Layer& layer, const SlotEntry& entry,
                                            std::uint64_t chunk, unsigned block) const {
    const auto trusted = layer.is(layer_frozen)
                             ? layer.is(layer_sealed)
                             : checksums_ && !untrusted_.contains(chunk * chunk_size / region_size);
    if (!trusted) return std::nullopt;
    return entry.checksums.at(block);
}

void LayerReader::fill_in(ChunkOwners& owners, Layer& layer, const SlotEntry& entry,
                          std::uint64_t chunk, std::uint32_t blocks) const {
    for (; blocks != 0; blocks &= blocks - 1) {
        const auto block = static_cast<unsigned>(std::countr_zero(blocks));
        auto& owner = owners.at(block);
        owner = {.layer = &layer, .state = entry.state(block), .slot = entry.slot, .checksum = {}};
        if (owner.is_data()) owner.checksum = checksum(layer, entry, chunk, block);
    }
}

// Each block is what the topmost layer that has it says.
io::Task<ChunkOwners> LayerReader::owners(LayerSpan layers, std::uint64_t chunk,
                                          std::uint32_t wanted) {
    if (layers.top == &stack_.head() && layers.top->parent && !layers.end) {
        auto by_index = co_await owners_by_index(chunk, wanted);
        co_return by_index;
    }
    ChunkOwners found{};
    for (auto* layer = layers.top; layer != layers.end && wanted != 0; layer = layer->parent) {
        const auto page = co_await layer->map.page_if_any(chunk / chunks_per_page);
        if (!page) continue;
        const auto& entry = (*page)->entry(chunk);
        const auto here = wanted & entry.present();
        fill_in(found, *layer, entry, chunk, here);
        wanted &= ~here;
    }
    co_return found;
}

io::Task<ChunkOwners> LayerReader::owners_by_index(std::uint64_t chunk, std::uint32_t wanted) {
    const auto live = co_await live_owners(chunk);
    ChunkOwners found{};
    while (wanted != 0) {
        auto* layer = live.at(static_cast<unsigned>(std::countr_zero(wanted)));
        auto here = std::uint32_t{0};
        for (auto left = wanted; left != 0; left &= left - 1)
            if (live.at(static_cast<unsigned>(std::countr_zero(left))) == layer)
                here |= left & ~(left - 1);
        wanted &= ~here;
        if (!layer) continue;
        const auto page = co_await layer->map.page(chunk / chunks_per_page);
        fill_in(found, *layer, page->entry(chunk), chunk, here);
    }
    co_return found;
}

// Of all 16 chunks of a page, since the page of each layer is in hand.
io::Task<LayerReader::LiveOwners> LayerReader::live_owners(std::uint64_t chunk) {
    const auto number = chunk / chunks_per_page;
    LiveOwners owners{};
    if (const auto* known = index_.find(number)) {
        const auto& blocks = known->chunks.at(chunk % chunks_per_page);
        for (unsigned block = 0; block < blocks_per_chunk; ++block)
            owners.at(block) = blocks.owner(block);
        co_return owners;
    }
    LiveIndex::Lookup lookup{index_, number};
    auto fresh = std::make_unique<LiveIndex::Page>();
    for (auto* layer = &stack_.head(); layer; layer = layer->parent) {
        const auto page = co_await layer->map.page_if_any(number);
        if (!page) continue;
        for (unsigned place = 0; place < chunks_per_page; ++place) {
            auto& blocks = fresh->chunks.at(place);
            blocks.set((*page)->bytes->entries.at(place).present() & blocks.unowned(), layer);
        }
    }
    for (unsigned block = 0; block < blocks_per_chunk; ++block)
        owners.at(block) = fresh->chunks.at(chunk % chunks_per_page).owner(block);
    lookup.keep(std::move(fresh));
    co_return owners;
}

io::Task<void> LayerReader::read_run(Run run, std::span<const iovec> vectors) {
    if (!run.file) {
        fill_with_zeros(vectors);
        co_return;
    }
    co_await run.file->read(vectors, run.place);
    storage::VectorCursor cursor{vectors};
    if (run.checksums.front()) storage::fetch_ahead(cursor.piece(block_size));
    for (std::uint64_t block = 0; block < run.checksums.size(); ++block) {
        const auto& expected = run.checksums[block];
        if (!expected) {
            cursor.skip(block_size);
            continue;
        }
        if (checksum_of(cursor) == *expected) continue;
        const auto into = storage::slice(vectors, block * block_size, block_size);
        co_await read_again(run, block, into);
    }
}

// The guest may have written into its buffer while it was read into. In a buffer of our own nobody
// does: what differs there is wrong on the disk.
io::Task<void> LayerReader::read_again(Run run, std::uint64_t block, std::span<const iovec> into) {
    storage::AlignedBuffer buffer{block_size};
    if (buffer.bytes().empty()) co_await fail(Kind::exhausted, "no memory for a block");
    co_await run.file->read(buffer.bytes(), run.place + block * block_size);
    if (storage::crc32c(buffer.bytes()) != run.checksums[block]) {
        ++counters_.checksum_errors;
        co_await fail(Kind::corrupt, "the block at {} is not what was written there",
                      (run.first + block) * block_size);
    }
    ++counters_.scribbles;
    storage::VectorCursor{into}.copy_in(buffer.bytes());
}

// From a snapshot, or the head as it is when the blocks are held. Requests that are not whole
// blocks pass through a buffer.
io::Task<void> LayerReader::read_bytes(Layer* snapshot, std::uint64_t offset,
                                       std::span<const iovec> vectors) {
    const auto length = storage::length_of(vectors);
    if (length == 0) co_return;
    const auto first = offset / block_size;
    const auto end = align_up(offset + length, block_size) / block_size;
    const RangeLock::Range range{first, end, RangeLock::Mode::shared};
    const auto held = co_await blocks_.acquire(range);
    const LayerSpan layers{snapshot ? snapshot : &stack_.head()};
    if ((offset | length) % block_size == 0 && storage::all_aligned(vectors, unit)) {
        co_await read(layers, first, vectors);
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
        co_await read(layers, block, std::span{&piece, 1});
        const auto skipped = block == first ? offset % block_size : 0;
        cursor.copy_in(part.subspan(skipped));
        block += count;
    }
}

}  // namespace sheaf::volume

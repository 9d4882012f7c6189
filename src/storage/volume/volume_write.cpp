// Writing: marks, a private copy with its checksums, then in place.

#include <algorithm>

#include "base/units.h"
#include "storage/checksum.h"
#include "storage/vectors.h"
#include "storage/volume/chunk_use.h"
#include "storage/volume/volume.h"

namespace sheaf::volume {

namespace {

constexpr std::size_t unit = 512;             // what a transfer past the page cache is made of
constexpr std::uint64_t most_staged = 1_MiB;  // of one request at a time
constexpr std::uint64_t run_ahead = 4;        // regions marked ahead of a sequential writer

std::uint64_t region_of(std::uint64_t block) {
    return block * block_size / region_size;
}

}  // namespace

// Blocks that are being written: where that does not come to a good end, nobody knows what they
// hold.
class Volume::Attempt {
  public:
    Attempt(Volume& volume, std::uint64_t first, std::uint64_t end)
        : volume_(volume), first_(first), end_(end) {}
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    ~Attempt() {
        if (!succeeded_) volume_.distrust(first_, end_);
    }
    void succeeded() { succeeded_ = true; }

  private:
    Volume& volume_;
    std::uint64_t first_;
    std::uint64_t end_;
    bool succeeded_ = false;
};

io::Task<void> Volume::write(std::uint64_t offset, std::span<const iovec> vectors) {
    const auto length = storage::length_of(vectors);
    co_await check_range(offset, length);
    if (length == 0) co_return;
    const auto first = offset / block_size;
    const auto end = align_up(offset + length, block_size) / block_size;
    const RangeLock::Range range{first, end, RangeLock::Mode::exclusive};
    const auto held = co_await blocks_.acquire(range);
    co_await mark(region_of(first), region_of(end - 1) + 1);
    if (!checksums() && (offset | length) % block_size == 0 &&
        storage::all_aligned(vectors, unit)) {
        const std::vector<std::uint32_t> none((end - first));
        co_await store_blocks(first, end, vectors, none);
        co_return;
    }
    for (auto done = std::uint64_t{0}; done < length;) {
        const auto start = offset + done;
        const auto part = std::min(length - done, most_staged - start % block_size);
        const auto pieces = storage::slice(vectors, done, part);
        co_await write_staged(start, part, pieces);
        done += part;
    }
}

// The copy is what is written and what the checksums are of: the guest may change its own.
io::Task<void> Volume::write_staged(std::uint64_t offset, std::uint64_t length,
                                    std::span<const iovec> vectors) {
    const auto first = offset / block_size;
    const auto end = align_up(offset + length, block_size) / block_size;
    const auto staging = staging_.take((end - first) * block_size);
    const auto bytes = staging.bytes();
    if (bytes.empty()) co_await fail(Kind::exhausted, "no memory for {} bytes", length);
    co_await fill_edges(first, bytes, offset, length);
    storage::VectorCursor cursor{vectors};
    std::vector<std::uint32_t> sums(end - first);
    for (std::uint64_t block = 0; block < sums.size(); ++block) {
        const auto whole = bytes.subspan(block * block_size, block_size);
        const auto from = block == 0 ? offset % block_size : 0;
        const auto to =
            std::min<std::uint64_t>(block_size, offset % block_size + length - block * block_size);
        cursor.copy_out(whole.subspan(from, to - from));
        if (checksums()) sums[block] = storage::crc32c(whole);
    }
    const iovec piece{bytes.data(), bytes.size()};
    co_await store_blocks(first, end, std::span{&piece, 1}, sums);
}

// What the first and the last block hold where the request does not reach.
io::Task<void> Volume::fill_edges(std::uint64_t first, std::span<std::byte> staging,
                                  std::uint64_t offset, std::uint64_t length) {
    const auto blocks = staging.size() / block_size;
    const auto starts_inside = offset % block_size != 0;
    if (starts_inside || (blocks == 1 && length % block_size != 0)) {
        const iovec block{staging.data(), block_size};
        co_await reader_.read({&head()}, first, std::span{&block, 1});
    }
    if (blocks > 1 && (offset + length) % block_size != 0) {
        const auto last = staging.last(block_size);
        const iovec block{last.data(), last.size()};
        co_await reader_.read({&head()}, first + blocks - 1, std::span{&block, 1});
    }
}

// `from` holds the blocks; their places are found, or made, and written. Slots that lie together
// are written together.
io::Task<void> Volume::store_blocks(std::uint64_t first, std::uint64_t end,
                                    std::span<const iovec> from,
                                    std::span<const std::uint32_t> sums) {
    struct Run {
        std::uint64_t place;
        std::uint64_t first;
        std::uint64_t end;
    };
    std::vector<ChunkUse> uses;
    std::vector<Run> runs;
    for (auto block = first; block < end;) {
        auto use = co_await ChunkUse::begin(*this, head(), block / blocks_per_chunk);
        const auto stop = std::min(end, (use.chunk() + 1) * blocks_per_chunk);
        const auto place = use.slot() * chunk_size + block % blocks_per_chunk * block_size;
        if (!runs.empty() &&
            runs.back().place + (block - runs.back().first) * block_size == place) {
            runs.back().end = stop;
        } else {
            runs.push_back({place, block, stop});
        }
        uses.push_back(std::move(use));
        block = stop;
    }
    if (closed_) co_await Failure{Error{*closed_}};
    Attempt attempt{*this, first, end};
    if (runs.size() == 1) {
        co_await head().data.write(from, runs.front().place);
    } else {
        io::TaskGroup group;
        std::vector<std::vector<iovec>> parts;
        parts.reserve(runs.size());
        for (const auto& run : runs) {
            parts.push_back(storage::slice(from, (run.first - first) * block_size,
                                           (run.end - run.first) * block_size));
            group.start(head().data.write(std::span<const iovec>{parts.back()}, run.place));
        }
        co_await group.join();
    }
    attempt.succeeded();
    std::vector<std::uint64_t> untold;
    for (auto& use : uses) {
        const auto begin = std::max(first, use.chunk() * blocks_per_chunk);
        const auto stop = std::min(end, (use.chunk() + 1) * blocks_per_chunk);
        if (use.written(begin % blocks_per_chunk, sums.subspan(begin - first, stop - begin)))
            untold.push_back(use.chunk());
    }
    count_change();
    co_await stable_.tell(std::move(untold));
}

// Regions are marked some way ahead of a writer that goes on from one that is marked.
io::Task<void> Volume::mark(std::uint64_t first, std::uint64_t end) {
    if (closed_) co_await Failure{Error{*closed_}};
    if (broken(options_.mutation, Mutation::write_without_mark)) co_return;
    const auto now = loop_.now();
    for (auto region = first; region < end; ++region) last_write_[region] = now;
    auto certain = true;
    for (auto region = first; region < end; ++region) certain = certain && intents_->stable(region);
    if (certain) co_return;
    upkeep_.wake();
    auto last = end;
    if (first > 0 && intents_->marked(first - 1))
        last = std::min(intents_->regions(), end + run_ahead);
    for (auto region = end; region < last; ++region) last_write_.try_emplace(region, now);
    // Not waited for: nobody holds their blocks, so upkeep may take these marks back meanwhile.
    intents_->mark_ahead(end, last);
    co_await intents_->mark(first, end);
}

void Volume::distrust(std::uint64_t first, std::uint64_t end) {
    for (auto region = region_of(first); region <= region_of(end - 1); ++region)
        untrusted_.insert(region);
    upkeep_.wake();
}

// A slot of what is frozen was never named on the disk; one of the head may have been.
void Volume::give_up_slot(Layer& layer, std::uint32_t slot) {
    if (slot < layer.known_slots.size()) layer.known_slots[slot] = true;
    const auto at_once = broken(options_.mutation, Mutation::freed_slot_used_at_once);
    if (&layer == &head() && !at_once) {
        layer.freed.push_back(slot);
    } else {
        layer.space->release(slot);
    }
}

// What is frozen is changed by merging only, and becomes stable by checkpoints only.
void Volume::entry_changed(Layer& layer, CachedPage& page, std::uint64_t chunk, bool states) {
    if (states && &layer == &head()) {
        layer.map.changed_states(page, chunk);
        if (!broken(options_.mutation, Mutation::index_not_kept_up))
            reader_.index().head_changed(layer, chunk, page.entry(chunk));
    } else {
        layer.map.changed_checksums(page);
        if (states) reader_.index().forget(page.number);
    }
}

void Volume::count_change() {
    stable_.note_change();
    const auto log_half_full = journal_->pages_free() * 2 < journal_->superblock().log_pages;
    if (log_half_full || head().map.changed_pages() > options_.most_changed_pages)
        stable_.start_checkpoint();
}

}  // namespace sheaf::volume

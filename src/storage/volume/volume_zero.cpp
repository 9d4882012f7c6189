// Zeroing and discarding: blocks lose their content, and a chunk without any gives its slot back.

#include <algorithm>

#include "base/units.h"
#include "storage/aligned_buffer.h"
#include "storage/volume/volume.h"

namespace sheaf::volume {

namespace {

constexpr std::size_t most_told = 1024;  // chunks, to the log at once

}  // namespace

// Whole blocks are given up; what is left of a block at either end stays as it is.
io::Task<void> Volume::discard(std::uint64_t offset, std::uint64_t length) {
    co_await check_range(offset, length);
    const auto first = align_up(offset, block_size) / block_size;
    const auto end = (offset + length) / block_size;
    if (first < end) co_await zero_blocks(first, end);
}

io::Task<void> Volume::zero(std::uint64_t offset, std::uint64_t length, storage::Space) {
    co_await check_range(offset, length);
    if (length == 0) co_return;
    const auto first = align_up(offset, block_size);
    const auto end = align_down(offset + length, block_size);
    if (first > end) {
        co_await zero_edge(offset, length);
        co_return;
    }
    if (offset < first) co_await zero_edge(offset, first - offset);
    if (end < offset + length) co_await zero_edge(end, offset + length - end);
    if (first < end) co_await zero_blocks(first / block_size, end / block_size);
}

io::Task<void> Volume::zero_edge(std::uint64_t offset, std::uint64_t length) {
    storage::AlignedBuffer zeros{block_size};
    if (zeros.bytes().empty()) co_await fail(Kind::exhausted, "no memory for a block");
    std::ranges::fill(zeros.bytes(), std::byte{0});
    const iovec piece{zeros.bytes().data(), length};
    co_await write(offset, std::span{&piece, 1});
}

// Parts of the volume that no layer says anything about are passed over.
io::Task<void> Volume::zero_blocks(std::uint64_t first, std::uint64_t end) {
    constexpr auto blocks_per_page = std::uint64_t{chunks_per_page} * blocks_per_chunk;
    const RangeLock::Range range{first, end, RangeLock::Mode::exclusive};
    const auto held = co_await blocks_.acquire(range);
    const auto pages_end = (end - 1) / blocks_per_page + 1;
    std::vector<std::uint64_t> untold;
    for (auto page = first / blocks_per_page; page < pages_end; ++page) {
        page = co_await reader_.next_present({&head()}, page, pages_end);
        if (page == pages_end) break;
        const auto from = std::max(first, page * blocks_per_page);
        const auto to = std::min(end, (page + 1) * blocks_per_page);
        co_await mark(from * block_size / region_size, (to * block_size - 1) / region_size + 1);
        const auto more = co_await zero_in_page(from, to);
        untold.insert(untold.end(), more.begin(), more.end());
        if (untold.size() >= most_told) co_await stable_.tell(std::exchange(untold, {}));
    }
    count_change();
    co_await stable_.tell(std::move(untold));
}

// Blocks of one slots page; gives the chunks that the log has yet to be told of. A block is zeros
// by itself where no layer below has anything.
io::Task<std::vector<std::uint64_t>> Volume::zero_in_page(std::uint64_t first, std::uint64_t end) {
    std::vector<std::uint64_t> untold;
    const auto below = head().parent && !broken(options_.mutation, Mutation::zero_without_state);
    const auto gone = below ? BlockState::zero : BlockState::absent;
    auto page = co_await head().map.page(first / blocks_per_chunk / chunks_per_page);
    for (auto block = first; block < end;) {
        const auto chunk = block / blocks_per_chunk;
        const auto stop = std::min(end, (chunk + 1) * blocks_per_chunk);
        auto& entry = page->entry(chunk);
        const auto before = entry.states;
        const auto had_data = entry.has_data();
        for (; block < stop; ++block)
            entry.set_state(static_cast<unsigned>(block % blocks_per_chunk), gone);
        if (entry.states != before) entry_changed(head(), *page, chunk, true);
        if ((page->untold >> (chunk % chunks_per_page) & 1) != 0) untold.push_back(chunk);
        if (!had_data || entry.has_data()) continue;
        --head().entry.slots_used;
        const auto slot = std::exchange(entry.slot, no_slot);
        // Whoever is still writing into it gives it up.
        if (page->writers.at(chunk % chunks_per_page) == 0) give_up_slot(head(), slot);
    }
    co_return untold;
}

}  // namespace sheaf::volume

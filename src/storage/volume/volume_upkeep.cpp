// What is done when nobody waits: marks are taken back, checksums after a crash computed anew, room
// looked for.

#include <algorithm>

#include "storage/aligned_buffer.h"
#include "storage/checksum.h"
#include "storage/volume/volume.h"

namespace sheaf::volume {

namespace {

constexpr std::size_t most_at_once = 65536;  // regions that are looked at in one round

}  // namespace

// Sleeps for good while there is nothing to keep up.
io::Task<void> Volume::keep_up() {
    if (head().entry.slots_used < head().space->end()) co_await find_free_slots();
    while (!closed_) {
        if (intents_->count() == 0 && untrusted_.empty() && !head().space->starved()) {
            upkeep_wanted_.clear();
            co_await upkeep_wanted_.wait();
        }
        co_await loop_.sleep(options_.upkeep_interval);
        // What fails here is tried again next time; requests that depend on it fail by themselves.
        if (head().space->starved()) {
            if (!freed_.empty()) {
                ++changes_;
                const auto flushed = co_await flush().result();
            }
            head().space->try_again();
        }
        const auto reconciled = co_await reconcile().result();
        const auto cleaned = co_await clean().result();
    }
}

std::vector<std::uint64_t> Volume::idle_regions() const {
    constexpr auto blocks_per_region = region_size / block_size;
    std::vector<std::pair<io::TimePoint, std::uint64_t>> marked;
    for (auto region = intents_->next_marked(0);
         region < intents_->regions() && marked.size() < most_at_once;
         region = intents_->next_marked(region + 1)) {
        if (untrusted_.contains(region)) continue;
        if (blocks_.busy(region * blocks_per_region, (region + 1) * blocks_per_region)) continue;
        const auto written = last_write_.find(region);
        marked.emplace_back(written == last_write_.end() ? io::TimePoint{} : written->second,
                            region);
    }
    std::ranges::sort(marked);
    const auto too_many =
        intents_->count() > options_.most_marked ? intents_->count() - options_.most_marked : 0;
    std::vector<std::uint64_t> regions;
    for (const auto& [written, region] : marked)
        if (regions.size() < too_many || loop_.now() - written >= options_.idle)
            regions.push_back(region);
    return regions;
}

// A checkpoint makes content and checksums of everything written so far stable; then regions that
// nobody has written since need no mark.
io::Task<void> Volume::clean() {
    constexpr auto blocks_per_region = region_size / block_size;
    const auto regions = idle_regions();
    if (regions.empty()) co_return;
    const auto began = loop_.now();
    co_await checkpoint();
    for (const auto region : regions) {
        const auto written = last_write_.find(region);
        if (written != last_write_.end() && written->second >= began) continue;
        if (untrusted_.contains(region)) continue;
        if (blocks_.busy(region * blocks_per_region, (region + 1) * blocks_per_region)) continue;
        if (written != last_write_.end()) last_write_.erase(written);
        intents_->clear(region);
        ++counters_.regions_cleaned;
    }
}

io::Task<void> Volume::reconcile() {
    if (!checksums()) untrusted_.clear();
    constexpr auto regions_per_slots_page = chunks_per_page * chunk_size / region_size;
    const auto pages = (intents_->regions() + regions_per_slots_page - 1) / regions_per_slots_page;
    for (auto region = untrusted_.next(0); region != RegionSet::end();
         region = untrusted_.next(region)) {
        const auto page = region / regions_per_slots_page;
        const auto present = co_await head().map.next_present(page, pages);
        if (present == page) {
            co_await reconcile_region(region);
        } else {
            // Nothing of the head is there.
            for (; region < present * regions_per_slots_page; ++region) untrusted_.erase(region);
        }
    }
}

// What is there is what the guest wrote last, or what a power cut left of it: that is the content
// now, and its checksums are computed from it.
io::Task<void> Volume::reconcile_region(std::uint64_t region) {
    constexpr auto blocks_per_region = region_size / block_size;
    const RangeLock::Range range{region * blocks_per_region, (region + 1) * blocks_per_region,
                                 RangeLock::Mode::exclusive};
    const auto held = co_await blocks_.acquire(range);
    storage::AlignedBuffer buffer{chunk_size};
    if (buffer.bytes().empty()) co_await fail(Kind::exhausted, "no memory for a chunk");
    for (auto chunk = region * region_size / chunk_size;
         chunk < (region + 1) * region_size / chunk_size; ++chunk) {
        auto page = co_await head().map.page(chunk / chunks_per_page);
        auto& entry = page->entry(chunk);
        if (!entry.has_data()) continue;
        co_await head().data.read(buffer.bytes(), entry.slot * chunk_size);
        for (unsigned block = 0; block < blocks_per_chunk; ++block)
            if (entry.state(block) == BlockState::data)
                entry.checksums.at(block) =
                    storage::crc32c(buffer.bytes().subspan(block * block_size, block_size));
        head().map.changed_checksums(*page);
    }
    untrusted_.erase(region);
    ++counters_.regions_reconciled;
}

}  // namespace sheaf::volume

#include "storage/volume/upkeep.h"

#include <algorithm>

#include "base/units.h"
#include "storage/aligned_buffer.h"
#include "storage/checksum.h"
#include "storage/volume/map_geometry.h"
#include "storage/volume/volume.h"

namespace sheaf::volume {

namespace {

constexpr std::size_t most_at_once = 65536;  // regions that are looked at in one round
constexpr auto page_span = std::uint64_t{chunks_per_page} * chunk_size;

// Of slots that are freed from here on the log may still say that they are in use: they are noted,
// so that free ones can be looked for at any time.
void begin_noting_slots(Layer& layer) {
    layer.free_slots_known = layer.entry.slots_used == layer.space->end();
    if (!layer.free_slots_known) layer.known_slots.assign(layer.space->end(), false);
}

// That reads the whole map, so it is done when the file has to grow for want of them, not before.
bool wants_free_slots(const Layer& head) {
    return !head.free_slots_known &&
           (head.space->starved() || head.space->end() > head.known_slots.size());
}

}  // namespace

// Sleeps for good while there is nothing to keep up.
io::Task<void> Upkeep::run() {
    auto& volume = volume_;
    begin_noting_slots(volume.head());
    while (!volume.closed_) {
        volume.forget_unused();
        if (volume.intents_->count() == 0 && volume.untrusted_.empty() &&
            !volume.head().space->starved() && !volume.layers_.forgetting()) {
            volume.staging_.drop_idle();
            wanted_.clear();
            co_await wanted_.wait();
        }
        co_await volume.loop_.sleep(volume.options_.upkeep_interval);
        // What fails here is tried again next time; requests that depend on it fail by themselves.
        if (wants_free_slots(volume.head()))
            static_cast<void>(co_await find_free_slots(volume.head()).result());
        const auto given_back = co_await give_back_room().result();
        const auto reconciled = co_await reconcile().result();
        const auto cleaned = co_await clean().result();
    }
}

// Slots that were freed are free when the log says so; where they are many, their room goes back to
// the file system, and where a request waits for room it is looked for anew.
io::Task<void> Upkeep::give_back_room() {
    auto& volume = volume_;
    const auto most = volume.options_.most_free_slots;
    const auto starved = volume.head().space->starved();
    if (volume.head().freed.size() > (starved ? 0 : most)) {
        volume.stable_.note_change();
        co_await volume.flush();
    }
    if (starved) {
        volume.head().space->try_again();
    } else if (volume.head().space->free_with_room() > most) {
        const auto count = co_await volume.head().space->punch(most);
        volume.counters_.slots_punched += count;
    }
}

// Slots below the end that no chunk has. Those that became free since they are noted are known
// already. Whether they have room behind them nobody knows.
io::Task<void> Upkeep::find_free_slots(Layer& layer) {
    if (layer.known_slots.empty()) begin_noting_slots(layer);
    if (layer.free_slots_known) co_return;
    co_await note_used_slots(layer);
    const auto known = std::exchange(layer.known_slots, {});
    for (std::size_t slot = 0; slot < known.size(); ++slot)
        if (!known[slot]) layer.space->release_without_room(static_cast<std::uint32_t>(slot));
    layer.free_slots_known = true;
}

io::Task<void> Upkeep::note_used_slots(Layer& layer) {
    const auto size = volume_.journal_->superblock().size;
    const auto pages = (size + page_span - 1) / page_span;
    for (std::uint64_t number = 0; number < pages; ++number) {
        number = co_await layer.map.next_present(number, pages);
        if (number == pages) break;
        const auto page = co_await layer.map.page(number);
        for (unsigned chunk = 0; chunk < chunks_per_page; ++chunk) {
            const auto& entry = page->bytes->entries.at(chunk);
            if (entry.has_data() && entry.slot < layer.known_slots.size())
                layer.known_slots[entry.slot] = true;
            const auto reserved = page->writers.at(chunk) > 0 ? page->reserved.at(chunk) : no_slot;
            if (reserved < layer.known_slots.size()) layer.known_slots[reserved] = true;
        }
    }
}

std::vector<std::uint64_t> Upkeep::idle_regions() const {
    constexpr auto blocks_per_region = region_size / block_size;
    std::vector<std::pair<io::TimePoint, std::uint64_t>> marked;
    for (auto region = volume_.intents_->next_marked(0);
         region < volume_.intents_->regions() && marked.size() < most_at_once;
         region = volume_.intents_->next_marked(region + 1)) {
        if (volume_.untrusted_.contains(region) || volume_.custody_.holds(region)) continue;
        if (volume_.blocks_.busy(region * blocks_per_region, (region + 1) * blocks_per_region))
            continue;
        const auto written = volume_.last_write_.find(region);
        marked.emplace_back(
            written == volume_.last_write_.end() ? io::TimePoint{} : written->second, region);
    }
    std::ranges::sort(marked);
    const auto too_many = volume_.intents_->count() > volume_.options_.most_marked
                              ? volume_.intents_->count() - volume_.options_.most_marked
                              : 0;
    std::vector<std::uint64_t> regions;
    for (const auto& [written, region] : marked)
        if (regions.size() < too_many || volume_.loop_.now() - written >= volume_.options_.idle)
            regions.push_back(region);
    return regions;
}

// A checkpoint makes content and checksums of everything written so far stable; then regions that
// nobody has written since need no mark.
io::Task<void> Upkeep::clean() {
    constexpr auto blocks_per_region = region_size / block_size;
    const auto regions = idle_regions();
    if (regions.empty()) co_return;
    const auto began = volume_.loop_.now();
    if (!broken(volume_.options_.mutation, Mutation::mark_taken_back_early))
        co_await volume_.checkpoint();
    for (const auto region : regions) {
        const auto written = volume_.last_write_.find(region);
        if (written != volume_.last_write_.end() && written->second >= began) continue;
        if (volume_.untrusted_.contains(region)) continue;
        if (volume_.blocks_.busy(region * blocks_per_region, (region + 1) * blocks_per_region))
            continue;
        if (written != volume_.last_write_.end()) volume_.last_write_.erase(written);
        volume_.intents_->clear(region);
        ++volume_.counters_.regions_cleaned;
    }
}

io::Task<void> Upkeep::reconcile() {
    if (!volume_.checksums()) volume_.untrusted_.clear();
    constexpr auto regions_per_slots_page = chunks_per_page * chunk_size / region_size;
    const auto pages =
        (volume_.intents_->regions() + regions_per_slots_page - 1) / regions_per_slots_page;
    for (auto region = volume_.untrusted_.next(0); region != RegionSet::end();
         region = volume_.untrusted_.next(region)) {
        const auto page = region / regions_per_slots_page;
        // Within what one directory tells, for while another is read a write may bring a page.
        const auto end = std::min(pages, align_up<std::uint64_t>(page + 1, fan_out));
        const auto present = co_await volume_.head().map.next_present(page, end);
        if (present == page) {
            co_await reconcile_region(region);
        } else {
            // Nothing of the head is there.
            for (; region < present * regions_per_slots_page; ++region)
                volume_.untrusted_.erase(region);
        }
    }
}

// What is there is what the guest wrote last, or what a power cut left of it: that is the content
// now, and its checksums are computed from it.
io::Task<void> Upkeep::reconcile_region(std::uint64_t region) {
    constexpr auto blocks_per_region = region_size / block_size;
    const RangeLock::Range range{region * blocks_per_region, (region + 1) * blocks_per_region,
                                 RangeLock::Mode::exclusive};
    const auto held = co_await volume_.blocks_.acquire(range);
    storage::AlignedBuffer buffer{chunk_size};
    if (buffer.bytes().empty()) co_await fail(Kind::exhausted, "no memory for a chunk");
    for (auto chunk = region * region_size / chunk_size;
         chunk < (region + 1) * region_size / chunk_size; ++chunk) {
        auto page = co_await volume_.head().map.page(chunk / chunks_per_page);
        auto& entry = page->entry(chunk);
        if (!entry.has_data()) continue;
        co_await volume_.head().data.read(buffer.bytes(), entry.slot * chunk_size);
        for (unsigned block = 0; block < blocks_per_chunk; ++block)
            if (entry.state(block) == BlockState::data)
                entry.checksums.at(block) =
                    storage::crc32c(buffer.bytes().subspan(block * block_size, block_size));
        volume_.head().map.changed_checksums(*page);
    }
    volume_.untrusted_.erase(region);
    ++volume_.counters_.regions_reconciled;
}

}  // namespace sheaf::volume

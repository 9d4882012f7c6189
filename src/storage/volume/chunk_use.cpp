#include "storage/volume/chunk_use.h"

#include "storage/volume/volume.h"

namespace sheaf::volume {

ChunkUse::ChunkUse(Volume& volume, Pin page, std::uint64_t chunk)
    : volume_(&volume), page_(std::move(page)), chunk_(chunk) {
    const auto place = chunk_ % chunks_per_page;
    if (page_->writers.at(place)++ > 0) return;
    const auto& entry = page_->entry(chunk_);
    page_->reserved.at(place) = entry.has_data() ? entry.slot : no_slot;
}

io::Task<ChunkUse> ChunkUse::begin(Volume& volume, std::uint64_t chunk) {
    auto page = co_await volume.head().map.page(chunk / chunks_per_page);
    ChunkUse use{volume, std::move(page), chunk};
    if (use.slot() != no_slot) co_return use;
    const auto slot = co_await volume.head().space->allocate();
    auto& reserved = use.page_->reserved.at(chunk % chunks_per_page);
    // Another request may have been faster while this one waited for room.
    if (reserved == no_slot) {
        reserved = slot;
    } else {
        volume.head().space->release(slot);
    }
    co_return use;
}

void ChunkUse::written(unsigned first, std::span<const std::uint32_t> checksums) {
    auto& entry = page_->entry(chunk_);
    const auto before = entry.states;
    if (!entry.has_data()) {
        entry.slot = slot();
        entry.file = 0;
        ++volume_->head().entry.slots_used;
    }
    for (const auto checksum : checksums) {
        entry.set_state(first, BlockState::data);
        entry.checksums.at(first) = checksum;
        ++first;
    }
    auto& map = volume_->head().map;
    if (entry.states == before) {
        map.changed_checksums(*page_);
    } else {
        map.changed_states(*page_, chunk_);
    }
}

// Nobody writes into the slot any more. Where no block of it came to be, it is given up.
void ChunkUse::end() {
    const auto place = chunk_ % chunks_per_page;
    if (--page_->writers.at(place) > 0) return;
    const auto slot = std::exchange(page_->reserved.at(place), no_slot);
    if (slot != no_slot && !page_->entry(chunk_).has_data()) volume_->give_up_slot(slot);
}

}  // namespace sheaf::volume

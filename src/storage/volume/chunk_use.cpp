#include "storage/volume/chunk_use.h"

#include "storage/volume/volume.h"

namespace sheaf::volume {

namespace {

// A map may say anything.
Result<void> check(const Layer& layer, const SlotEntry& entry) {
    if (entry.has_data() && entry.slot >= layer.space->end())
        return fail(Kind::corrupt, "a chunk is in slot {} of {}", entry.slot, layer.space->end());
    return {};
}

}  // namespace

ChunkUse::ChunkUse(Volume& volume, Layer& layer, Pin page, std::uint64_t chunk)
    : volume_(&volume), layer_(&layer), page_(std::move(page)), chunk_(chunk) {
    const auto place = chunk_ % chunks_per_page;
    if (page_->writers.at(place)++ > 0) return;
    const auto& entry = page_->entry(chunk_);
    page_->reserved.at(place) = entry.has_data() ? entry.slot : no_slot;
}

// Another request may have been faster while this one waited for room.
void ChunkUse::take(std::uint32_t slot) {
    auto& reserved = page_->reserved.at(chunk_ % chunks_per_page);
    if (reserved == no_slot) {
        reserved = slot;
    } else {
        layer_->space->release(slot);
    }
}

io::Task<ChunkUse> ChunkUse::begin(Volume& volume, Layer& layer, std::uint64_t chunk) {
    auto page = co_await layer.map.page(chunk / chunks_per_page);
    co_await check(layer, page->entry(chunk));
    ChunkUse use{volume, layer, std::move(page), chunk};
    if (use.slot() == no_slot) {
        const auto slot = co_await layer.space->allocate();
        use.take(slot);
    }
    co_return use;
}

io::Task<std::optional<ChunkUse>> ChunkUse::begin_now(Volume& volume, Layer& layer,
                                                      std::uint64_t chunk) {
    auto page = co_await layer.map.page(chunk / chunks_per_page);
    co_await check(layer, page->entry(chunk));
    ChunkUse use{volume, layer, std::move(page), chunk};
    if (use.slot() == no_slot) {
        const auto slot = co_await layer.space->allocate_now();
        if (!slot) co_return std::nullopt;
        use.take(*slot);
    }
    co_return use;
}

bool ChunkUse::written(unsigned first, std::span<const std::uint32_t> checksums) {
    auto& entry = page_->entry(chunk_);
    const auto before = entry.states;
    if (!entry.has_data()) {
        entry.slot = slot();
        entry.file = 0;
        ++layer_->entry.slots_used;
    }
    for (const auto checksum : checksums) {
        entry.set_state(first, BlockState::data);
        entry.checksums.at(first) = checksum;
        ++first;
    }
    volume_->entry_changed(*layer_, *page_, chunk_, entry.states != before);
    return (page_->untold >> (chunk_ % chunks_per_page) & 1) != 0;
}

// Nobody writes into the slot any more. Where no block of it came to be, it is given up.
void ChunkUse::end() {
    const auto place = chunk_ % chunks_per_page;
    if (--page_->writers.at(place) > 0) return;
    const auto slot = std::exchange(page_->reserved.at(place), no_slot);
    if (slot != no_slot && !page_->entry(chunk_).has_data()) volume_->give_up_slot(*layer_, slot);
}

}  // namespace sheaf::volume

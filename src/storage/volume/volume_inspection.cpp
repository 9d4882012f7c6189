// What there is to be known of a volume and its snapshots.

#include <algorithm>

#include "base/units.h"
#include "storage/volume/volume.h"

namespace sheaf::volume {

namespace {

constexpr auto page_span = std::uint64_t{chunks_per_page} * chunk_size;

// How many slots the layer's map names, none of them twice.
io::Task<std::uint32_t> count_slots(Layer& layer, std::uint64_t pages) {
    std::vector<bool> used(layer.space->end());
    auto count = std::uint32_t{0};
    for (std::uint64_t number = 0; number < pages; ++number) {
        number = co_await layer.map.next_present(number, pages);
        if (number == pages) break;
        const auto page = co_await layer.map.page(number);
        for (const auto& entry : page->bytes->entries) {
            if (!entry.has_data()) continue;
            if (entry.slot >= used.size() || used[entry.slot])
                co_await fail(Kind::corrupt, "layer {}: slot {} has two owners, or none",
                              layer.entry.number, entry.slot);
            used[entry.slot] = true;
            ++count;
        }
    }
    co_return count;
}

io::Task<void> check_slots_of(Layer& layer, std::uint64_t pages) {
    const auto used = co_await count_slots(layer, pages);
    const auto number = layer.entry.number;
    if (used != layer.entry.slots_used)
        co_await fail(Kind::corrupt, "layer {}: {} slots are in use, not {}", number, used,
                      layer.entry.slots_used);
    const auto& space = *layer.space;
    const auto free = space.free_below_end() + layer.freed.size();
    if (layer.free_slots_known && !space.growing() && used + free != space.end())
        co_await fail(Kind::corrupt, "layer {}: of {} slots {} are in use and {} free", number,
                      space.end(), used, free);
}

}  // namespace

std::vector<Snapshot> Volume::snapshots() const {
    std::vector<Snapshot> found;
    for (const auto& layer : layers_.all()) {
        const auto& entry = layer->entry;
        if (!layer->is(layer_frozen) || layer->is(layer_deleted) || layer->is(layer_base)) continue;
        found.push_back({.name = std::string{name_of(entry)},
                         .created = entry.created,
                         .size = entry.size,
                         .own_bytes = entry.slots_used * chunk_size});
    }
    return found;
}

Result<std::vector<LayerEntry>> Volume::chain(std::string_view snapshot) const {
    const auto* layer = TRY(layers_.snapshot(snapshot));
    std::vector<LayerEntry> found;
    for (; layer; layer = layer->parent) {
        if (merger_.touches(*layer) || !stable_.settled())
            return fail(Kind::conflict, "what is below snapshot {} is being merged", snapshot);
        const auto number = layer->entry.number;
        found.push_back(*std::ranges::find(journal_->layers(), number, &LayerEntry::number));
    }
    std::ranges::reverse(found);
    return found;
}

Result<std::unique_ptr<View>> Volume::view(std::string_view snapshot) {
    auto* layer = TRY(layers_.snapshot(snapshot));
    return std::make_unique<View>(*this, *layer);
}

std::uint64_t Volume::allocated_bytes() const {
    auto bytes = std::uint64_t{0};
    for (const auto& layer : layers_.all())
        if (layer->space) bytes += layer->entry.slots_used * chunk_size;
    return bytes;
}

bool Volume::has_base() const {
    return std::ranges::any_of(layers_.all(),
                               [](const auto& layer) { return layer->is(layer_base); });
}

// Slots move between their owners, the log and the free ones, and layers come and go: they are
// counted while none does.
io::Task<void> Volume::check_slots() {
    const auto still = co_await restacking_.stand_still();
    const auto pages = align_up(journal_->superblock().size, page_span) / page_span;
    for (const auto& layer : layers_.all())
        if (layer->space) co_await check_slots_of(*layer, pages);
}

}  // namespace sheaf::volume

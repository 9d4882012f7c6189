#include "storage/volume/layer_stack.h"

#include <algorithm>

namespace sheaf::volume {

std::string_view name_of(const LayerEntry& entry) {
    const auto end = std::ranges::find(entry.name, '\0');
    return {entry.name.begin(), end};
}

Result<std::unique_ptr<Layer>> LayerStack::make(LayerFiles files, const LayerEntry& entry) {
    auto map = TRY(File::create(loop_, std::move(files.map)));
    auto data = TRY(File::create(loop_, std::move(files.data)));
    auto layer = std::make_unique<Layer>(entry, std::move(map), std::move(data), cache_);
    if (layer->is(layer_base)) return layer;
    const auto room = std::min<std::uint64_t>(files.data_size / chunk_size, no_slot);
    if (entry.slots_end > room)
        return fail(Kind::corrupt, "layer {} has {} slots in a file of {} bytes", entry.number,
                    entry.slots_end, files.data_size);
    layer->space = std::make_unique<SlotSpace>(work_, layer->data, growth_, entry.slots_end,
                                               static_cast<std::uint32_t>(room));
    return layer;
}

// Numbers grow, and parents come first: there are no circles.
Result<void> LayerStack::take(std::vector<LayerFiles> files, std::span<const LayerEntry> table,
                              const Superblock& superblock) {
    auto previous = std::uint32_t{0};
    for (const auto& entry : table) {
        const auto head = entry.number == superblock.head;
        const auto frozen = (entry.flags & layer_frozen) != 0;
        if (entry.number <= previous || entry.number >= superblock.next_layer || frozen == head ||
            (head && (entry.flags & (layer_deleted | layer_base)) != 0) ||
            entry.size > superblock.size || entry.size % block_size != 0)
            return fail(Kind::corrupt, "the table's entry of layer {} makes no sense",
                        entry.number);
        previous = entry.number;
        const auto found = std::ranges::find(files, entry.id, &LayerFiles::id);
        if (found == files.end())
            return fail(Kind::not_found, "layer {} of the volume is missing", entry.number);
        auto& layer = layers_.emplace_back(TRY(make(std::move(*found), entry)));
        if (head) head_ = layer.get();
        if (entry.parent == 0) continue;
        layer->parent = find(entry.parent);
        if (!layer->parent || layer->parent == layer.get())
            return fail(Kind::corrupt, "layer {} has no parent {}", entry.number, entry.parent);
    }
    if (!head_) return fail(Kind::corrupt, "the volume's head is not among its layers");
    return {};
}

void LayerStack::push(std::unique_ptr<Layer> layer, Layer& parent) {
    layer->parent = &parent;
    layer->free_slots_known = true;
    head_ = layers_.emplace_back(std::move(layer)).get();
}

void LayerStack::remove(Layer& layer, const RangeLock& requests) {
    const auto found = std::ranges::find(layers_, &layer, &std::unique_ptr<Layer>::get);
    gone_.push_back({requests.next(), std::move(*found)});
    layers_.erase(found);
}

void LayerStack::forget_unused(const RangeLock& requests) {
    std::erase_if(gone_, [&requests](const Gone& gone) {
        return gone.before <= requests.oldest() && gone.layer->pins == 0 &&
               (!gone.layer->space || !gone.layer->space->growing());
    });
}

Layer* LayerStack::find(std::uint32_t number) const {
    const auto found = std::ranges::find_if(
        layers_, [number](const auto& layer) { return layer->entry.number == number; });
    return found == layers_.end() ? nullptr : found->get();
}

Layer* LayerStack::find(std::string_view name) const {
    const auto found = std::ranges::find_if(layers_, [name](const auto& layer) {
        return layer->is(layer_frozen) && !layer->is(layer_deleted) &&
               name_of(layer->entry) == name;
    });
    return found == layers_.end() || name.empty() ? nullptr : found->get();
}

Result<Layer*> LayerStack::snapshot(std::string_view name) const {
    auto* found = find(name);
    if (!found) return fail(Kind::not_found, "there is no snapshot {}", name);
    return found;
}

std::size_t LayerStack::children(const Layer& layer) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        layers_, [&layer](const auto& other) { return other->parent == &layer; }));
}

}  // namespace sheaf::volume

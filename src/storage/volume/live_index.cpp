#include "storage/volume/live_index.h"

#include <algorithm>

namespace sheaf::volume {

void LiveIndex::Chunk::set(unsigned block, Layer* owner) {
    if (!mixed_) {
        if (owner == all_) return;
        mixed_ = std::make_unique<std::array<Layer*, blocks_per_chunk>>();
        mixed_->fill(all_);
    }
    mixed_->at(block) = owner;
    if (!std::ranges::all_of(*mixed_, [owner](const Layer* layer) { return layer == owner; }))
        return;
    all_ = owner;
    mixed_.reset();
}

const LiveIndex::Page* LiveIndex::find(std::uint64_t number) {
    const auto found = places_.find(number);
    if (found == places_.end()) return nullptr;
    kept_.splice(kept_.begin(), kept_, found->second);
    return found->second->page.get();
}

LiveIndex::Lookup::Lookup(LiveIndex& index, std::uint64_t number) : index_(index) {
    index.lookups_.push_front({number, false});
    place_ = index.lookups_.begin();
}

void LiveIndex::Lookup::keep(std::unique_ptr<Page> page) {
    auto& index = index_;
    const auto number = place_->number;
    if (place_->stale || index.most_ == 0 || index.places_.contains(number)) return;
    while (index.kept_.size() >= index.most_) {
        index.places_.erase(index.kept_.back().number);
        index.kept_.pop_back();
    }
    index.kept_.push_front({number, std::move(page)});
    index.places_.emplace(number, index.kept_.begin());
}

void LiveIndex::mark_stale(std::uint64_t number) {
    for (auto& lookup : lookups_)
        if (lookup.number == number) lookup.stale = true;
}

void LiveIndex::head_changed(Layer& head, std::uint64_t chunk, const SlotEntry& entry) {
    const auto number = chunk / chunks_per_page;
    mark_stale(number);
    const auto found = places_.find(number);
    if (found == places_.end()) return;
    auto& known = found->second->page->chunks.at(chunk % chunks_per_page);
    for (unsigned block = 0; block < blocks_per_chunk; ++block)
        if (entry.state(block) != BlockState::absent) known.set(block, &head);
}

void LiveIndex::forget(std::uint64_t number) {
    mark_stale(number);
    const auto found = places_.find(number);
    if (found == places_.end()) return;
    kept_.erase(found->second);
    places_.erase(found);
}

void LiveIndex::clear() {
    for (auto& lookup : lookups_) lookup.stale = true;
    kept_.clear();
    places_.clear();
}

}  // namespace sheaf::volume

#include "storage/volume/live_index.h"

#include <algorithm>
#include <bit>

namespace sheaf::volume {

void LiveIndex::Chunk::set(std::uint32_t blocks, Layer* owner) {
    if (blocks != all_blocks) {
        if (blocks == 0 || (!mixed_ && owner == all_)) return;
        if (!mixed_) {
            mixed_ = std::make_unique<std::array<Layer*, blocks_per_chunk>>();
            mixed_->fill(all_);
        }
        for (auto left = blocks; left != 0; left &= left - 1)
            mixed_->at(static_cast<unsigned>(std::countr_zero(left))) = owner;
        const auto is_owner = [owner](const Layer* layer) { return layer == owner; };
        if (!std::ranges::all_of(*mixed_, is_owner)) return;
    }
    all_ = owner;
    mixed_.reset();
}

std::uint32_t LiveIndex::Chunk::unowned() const {
    if (!mixed_) return all_ ? 0 : all_blocks;
    std::uint32_t blocks = 0;
    for (unsigned block = 0; block < blocks_per_chunk; ++block)
        if (!mixed_->at(block)) blocks |= std::uint32_t{1} << block;
    return blocks;
}

std::size_t LiveIndex::Page::bytes() const {
    const auto mixed = std::ranges::count_if(chunks, &Chunk::mixed);
    return known_page_bytes + static_cast<std::size_t>(mixed) * mixed_bytes;
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
    const auto bytes = page->bytes();
    if (place_->stale || bytes > index.most_ || index.places_.contains(number)) return;
    index.make_room(bytes);
    index.kept_.push_front({number, std::move(page)});
    index.places_.emplace(number, index.kept_.begin());
    index.bytes_ += bytes;
}

void LiveIndex::make_room(std::size_t bytes) {
    while (!kept_.empty() && bytes_ + bytes > most_) drop(std::prev(kept_.end()));
}

void LiveIndex::drop(std::list<Kept>::iterator place) {
    bytes_ -= place->page->bytes();
    places_.erase(place->number);
    kept_.erase(place);
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
    bytes_ -= known.mixed() ? mixed_bytes : 0;
    known.set(entry.present(), &head);
    bytes_ += known.mixed() ? mixed_bytes : 0;
    make_room(0);
}

void LiveIndex::forget(std::uint64_t number) {
    mark_stale(number);
    const auto found = places_.find(number);
    if (found != places_.end()) drop(found->second);
}

void LiveIndex::clear() {
    for (auto& lookup : lookups_) lookup.stale = true;
    kept_.clear();
    places_.clear();
    bytes_ = 0;
}

}  // namespace sheaf::volume

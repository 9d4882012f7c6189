#include "storage/volume/restacking.h"

#include <algorithm>
#include <ranges>

#include "base/bytes.h"
#include "storage/volume/volume.h"

namespace sheaf::volume {

namespace {

constexpr RangeLock::Range alone{0, 1, RangeLock::Mode::exclusive};
constexpr RangeLock::Range everything{0, ~std::uint64_t{0}, RangeLock::Mode::exclusive};
constexpr std::size_t longest_name = 63;
constexpr std::size_t most_layers = 1 << 15;

Result<void> check_name(std::string_view name) {
    const auto allowed = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
               letter == '.' || letter == '-';
    };
    if (name.empty() || name.size() > longest_name || !std::ranges::all_of(name, allowed))
        return fail(Kind::invalid,
                    "a snapshot's name has 1 to {} of a-z, 0-9, '.' and '-', unlike \"{}\"",
                    longest_name, name);
    return {};
}

// Gives the entry with its number, which only a change that has begun can tell.
LayerEntry add_head(Checkpoints::Change& change, LayerEntry entry) {
    entry.number = change.superblock.next_layer++;
    change.superblock.head = entry.number;
    change.layers.push_back(entry);
    return entry;
}

LayerEntry& entry_of(std::vector<LayerEntry>& layers, std::uint32_t number) {
    return *std::ranges::find(layers, number, &LayerEntry::number);
}

}  // namespace

// Unlike all ids this volume made before, for each time it is opened has an incarnation of its own;
// and unlike those of other volumes, for it is the volume's own id but for its second half.
Id Restacking::next_id() {
    auto id = volume_.journal_->owner();
    const auto bytes = std::as_writable_bytes(std::span{id}).subspan(8);
    store(bytes, load<std::uint64_t>(bytes) ^ (volume_.opened_as_ << 24) ^ ++ids_made_);
    return id;
}

std::uint64_t Restacking::now() const {
    const HostClock host;
    const WallClock& clock = volume_.options_.clock ? *volume_.options_.clock : host;
    return static_cast<std::uint64_t>(
        std::chrono::nanoseconds{clock.now().time_since_epoch()}.count());
}

io::Task<void> Restacking::snapshot(std::string name) {
    co_await check_name(name);
    const auto held = co_await lock_.acquire(alone);
    if (volume_.layers_.find(name))
        co_await fail(Kind::exists, "there is a snapshot {} already", name);
    if (volume_.layers_.all().size() >= most_layers)
        co_await fail(Kind::exhausted, "the volume has {} layers, the most there may be",
                      most_layers);
    if (volume_.head().space->starved())
        co_await fail(Kind::exhausted, "writes wait for room; a snapshot would wait with them");
    const auto id = next_id();
    auto outcome = co_await freeze(std::move(name), id).result();
    if (!outcome && volume_.head().entry.id != id) volume_.merger_.release(id);
    co_await std::move(outcome);
}

// Most of what has to be stable becomes so while requests go on; what is left, while none is in
// flight. What is frozen has all its checksums, so those that a crash left open come first.
io::Task<void> Restacking::freeze(std::string name, Id id) {
    LayerEntry entry{};
    entry.id = id;
    auto files = co_await volume_.store_.create(id);
    auto fresh = co_await volume_.layers_.make(std::move(files), entry);
    co_await volume_.flush();
    co_await volume_.checkpoint();
    const auto rule = volume_.options_.mutation;
    auto drained = std::optional<RangeLock::Held>{};
    while (!drained) {
        if (broken(rule, Mutation::snapshot_without_drain)) break;
        if (!broken(rule, Mutation::snapshot_over_open_checksums))
            while (!volume_.untrusted_.empty()) co_await volume_.upkeep_.reconcile();
        drained.emplace(co_await volume_.blocks_.acquire(everything));
        if (broken(rule, Mutation::snapshot_over_open_checksums)) break;
        if (!volume_.untrusted_.empty()) drained.reset();
    }
    co_await volume_.stable_.end_telling();
    const auto quiet = co_await volume_.stable_.quiet();
    auto& old = volume_.head();
    const auto trimmed = co_await old.space->trim().result();
    auto change = co_await volume_.stable_.begin_change();
    auto& frozen = entry_of(change.layers, old.entry.number);
    frozen.flags |= layer_frozen | (volume_.checksums() ? layer_sealed : 0);
    frozen.created = now();
    frozen.size = change.superblock.size;
    std::ranges::copy(name, frozen.name.begin());
    const auto as_frozen = frozen;
    entry.parent = old.entry.number;
    fresh->entry = add_head(change, entry);
    co_await volume_.stable_.prepare(std::move(change));
    old.entry = as_frozen;
    volume_.layers_.push(std::move(fresh), old);
    forget_changes(old);
    co_await volume_.stable_.finish();
    for (const auto slot : std::exchange(old.freed, {})) old.space->release(slot);
}

// The commit tells of them, and the log begins behind it.
void Restacking::forget_changes(Layer& layer) {
    for (auto* page : layer.map.take_unlogged()) page->unlogged = 0;
}

io::Task<void> Restacking::revert(std::string name) {
    const auto held = co_await lock_.acquire(alone);
    co_await volume_.layers_.snapshot(name);
    const auto id = next_id();
    auto outcome = co_await replace_head(std::move(name), id).result();
    if (!outcome && volume_.head().entry.id != id) volume_.merger_.release(id);
    co_await std::move(outcome);
}

io::Task<void> Restacking::replace_head(std::string name, Id id) {
    auto& below = *volume_.layers_.find(name);
    LayerEntry entry{};
    entry.parent = below.entry.number;
    entry.id = id;
    auto files = co_await volume_.store_.create(id);
    auto fresh = co_await volume_.layers_.make(std::move(files), entry);
    const auto drained = co_await volume_.blocks_.acquire(everything);
    co_await volume_.stable_.end_telling();
    const auto quiet = co_await volume_.stable_.quiet();
    auto& old = volume_.head();
    auto change = co_await volume_.stable_.begin_change();
    std::erase_if(change.layers,
                  [&old](const LayerEntry& layer) { return layer.number == old.entry.number; });
    fresh->entry = add_head(change, entry);
    change.released.push_back(old.entry.id);
    co_await volume_.stable_.prepare(std::move(change));
    volume_.layers_.push(std::move(fresh), below);
    forget_changes(old);
    volume_.layers_.remove(old, volume_.blocks_);
    volume_.untrusted_.clear();
    volume_.reader_.index().clear();
    volume_.upkeep_.wake();
    co_await volume_.stable_.finish();
    volume_.merger_.wake();
}

io::Task<void> Restacking::delete_snapshot(std::string name) {
    const auto held = co_await lock_.acquire(alone);
    auto* layer = co_await volume_.layers_.snapshot(name);
    const auto quiet = co_await volume_.stable_.quiet();
    auto change = co_await volume_.stable_.begin_change();
    auto& entry = entry_of(change.layers, layer->entry.number);
    entry.flags |= layer_deleted;
    entry.name = {};
    const auto as_deleted = entry;
    co_await volume_.stable_.prepare(std::move(change));
    layer->entry.flags = as_deleted.flags;
    layer->entry.name = as_deleted.name;
    co_await volume_.stable_.finish();
    volume_.merger_.wake();
}

// Marks of the new regions can be made before there are any.
io::Task<void> Restacking::resize(std::uint64_t size) {
    const auto held = co_await lock_.acquire(alone);
    const auto present = volume_.journal_->superblock().size;
    if (size % block_size != 0)
        co_await fail(Kind::invalid, "a size of {} bytes: it is a multiple of {}", size,
                      block_size);
    if (size > most_bytes)
        co_await fail(Kind::invalid, "a size of {} bytes: the largest volume has {}", size,
                      most_bytes);
    if (size < present)
        co_await fail(Kind::invalid, "a size of {} bytes: the volume has {} and only grows", size,
                      present);
    if (size == present) co_return;
    const auto regions = volume_.intents_->regions();
    volume_.intents_->resize(std::max(regions, (size + region_size - 1) / region_size));
    co_await volume_.intents_->settle(regions);
    const auto quiet = co_await volume_.stable_.quiet();
    auto change = co_await volume_.stable_.begin_change();
    // One that had failed may have come to be now.
    change.superblock.size = std::max(change.superblock.size, size);
    co_await volume_.stable_.prepare(std::move(change));
    co_await volume_.stable_.finish();
}

// That the base is to go is recorded as of a deleted snapshot; merging does the rest.
io::Task<void> Restacking::flatten() {
    {
        const auto held = co_await lock_.acquire(alone);
        if (!volume_.has_base()) co_return;
        const auto quiet = co_await volume_.stable_.quiet();
        auto change = co_await volume_.stable_.begin_change();
        for (auto& entry : change.layers)
            if ((entry.flags & layer_base) != 0) entry.flags |= layer_deleted;
        co_await volume_.stable_.prepare(std::move(change));
        for (const auto& layer : volume_.layers_.all())
            if (layer->is(layer_base)) layer->entry.flags |= layer_deleted;
        co_await volume_.stable_.finish();
    }
    co_await volume_.merger_.wait_idle();
    if (volume_.has_base())
        co_await fail(Kind::conflict, "a snapshot over the base is in use; the rest comes later");
}

// Layers that were deleted and that nothing is above any more.
io::Task<bool> Restacking::drop_unused() {
    const auto held = co_await lock_.acquire(alone);
    std::vector<Layer*> unused;
    const auto gone = [&unused](const Layer* layer) {
        return std::ranges::find(unused, layer) != unused.end();
    };
    for (const auto& layer : volume_.layers_.all() | std::views::reverse) {
        const auto needed = std::ranges::any_of(volume_.layers_.all(), [&](const auto& other) {
            return other->parent == layer.get() && !gone(other.get());
        });
        if (layer->is(layer_deleted) && layer->pins == 0 && !needed) unused.push_back(layer.get());
    }
    if (unused.empty()) co_return false;
    const auto quiet = co_await volume_.stable_.quiet();
    auto change = co_await volume_.stable_.begin_change();
    // A view may have been opened meanwhile.
    std::erase_if(unused, [](const Layer* layer) { return layer->pins > 0; });
    for (const auto* layer : unused) {
        if (broken(volume_.options_.mutation, Mutation::claim_ended_before_commit)) {
            co_await volume_.store_.release(layer->entry.id);
        } else {
            change.released.push_back(layer->entry.id);
        }
        std::erase_if(change.layers, [layer](const LayerEntry& entry) {
            return entry.number == layer->entry.number;
        });
    }
    co_await volume_.stable_.prepare(std::move(change));
    for (auto* layer : unused) volume_.layers_.remove(*layer, volume_.blocks_);
    volume_.reader_.index().clear();
    volume_.counters_.merges += unused.size();
    volume_.upkeep_.wake();
    co_await volume_.stable_.finish();
    co_return true;
}

io::Task<Restacking::Standstill> Restacking::stand_still() {
    auto stack = co_await lock_.acquire(alone);
    if (volume_.head().space->starved()) co_await fail(Kind::exhausted, "writes wait for room");
    auto requests = co_await volume_.blocks_.acquire(everything);
    co_await volume_.stable_.end_telling();
    auto disk = co_await volume_.stable_.quiet();
    co_return Standstill{std::move(stack), std::move(requests), std::move(disk)};
}

// What `child` lacks of the layers from `top` down to the one above `end` it has now.
io::Task<void> Restacking::reparent(std::uint32_t child, std::uint32_t top, std::uint32_t end) {
    const auto held = co_await lock_.acquire(alone);
    auto* layer = volume_.layers_.find(child);
    if (!layer || !layer->parent || layer->parent->entry.number != top) co_return;
    const auto quiet = co_await volume_.stable_.quiet();
    auto change = co_await volume_.stable_.begin_change();
    entry_of(change.layers, child).parent = end;
    co_await volume_.stable_.prepare(std::move(change));
    layer->entry.parent = end;
    layer->parent = end == 0 ? nullptr : volume_.layers_.find(end);
    volume_.reader_.index().clear();
    co_await volume_.stable_.finish();
}

}  // namespace sheaf::volume

#include "sim/volume_world.h"

#include <algorithm>

#include "base/units.h"

namespace sheaf::sim {

namespace {

constexpr std::uint64_t metadata_capacity = 8_MiB;
constexpr std::uint32_t log_pages = 16;  // few, so that the log goes round often

volume::Id id_of(std::size_t number) {
    volume::Id id{};
    id.front() = static_cast<std::uint8_t>(number);
    return id;
}

}  // namespace

VolumeWorld::VolumeWorld(std::uint64_t seed, std::uint64_t volume_size, std::uint64_t data_capacity)
    : seed_(seed),
      data_capacity_(data_capacity),
      own_loop_(io::SimLoop::create(seed).value()),
      loop_(own_loop_.get()),
      clock_(*loop_),
      random_(seed + 1) {
    add(volume_size, {});
}

VolumeWorld::VolumeWorld(io::SimLoop& loop, std::uint64_t seed, std::uint64_t volume_size,
                         std::uint64_t data_capacity)
    : seed_(seed), data_capacity_(data_capacity), loop_(&loop), clock_(loop), random_(seed + 1) {
    add(volume_size, {});
}

io::SimDisk* VolumeWorld::add_disk(std::uint64_t capacity) {
    constexpr std::uint64_t most_disks = 1'000;
    const auto seed = seed_ * most_disks + disks_.size();
    auto& disk = disks_.emplace_back(std::make_unique<io::SimDisk>(0, seed, faults_));
    disk->set_capacity(capacity);
    disk->demand_direct_transfers();
    if (!powered_) disk->power_cut();
    return disk.get();
}

void VolumeWorld::add_layer(const volume::Id& id, Number number) {
    auto& layer = layers_[id];
    layer.claims.insert(number);
    layer.map = add_disk(metadata_capacity);
    layer.data = add_disk(data_capacity_);
}

VolumeWorld::Number VolumeWorld::add(std::uint64_t size, std::vector<volume::LayerEntry> base) {
    const auto number = volumes_.size();
    auto& volume = *volumes_.emplace_back(std::make_unique<VolumeOnDisks>(*this, number));
    for (auto& disk : volume.disks) disk = add_disk(metadata_capacity);
    volume.shape.size = size;
    volume.shape.id = id_of(2 * number + 1);
    volume.shape.head = id_of(2 * number + 2);
    volume.shape.log_pages = log_pages;
    for (const auto& layer : base) layers_.at(layer.id).claims.insert(number);
    volume.shape.base = std::move(base);
    add_layer(volume.shape.head, number);
    return number;
}

void VolumeWorld::set_base(std::vector<volume::LayerEntry> base) {
    for (const auto& layer : base) layers_.at(layer.id).claims.insert(first);
    volumes_.front()->shape.base = std::move(base);
}

void VolumeWorld::drop(Number number) {
    end_other_claims(number, {});
}

void VolumeWorld::end_other_claims(Number number, const std::vector<volume::LayerEntry>& layers) {
    for (auto& [id, layer] : layers_)
        if (std::ranges::find(layers, id, &volume::LayerEntry::id) == layers.end())
            layer.claims.erase(number);
}

std::size_t VolumeWorld::claims(Number number) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        layers_, [number](const auto& layer) { return layer.second.claims.contains(number); }));
}

bool VolumeWorld::shared(Number number, const volume::Id& layer) const {
    const auto found = layers_.find(layer);
    if (found == layers_.end()) return false;
    const auto& claims = found->second.claims;
    return claims.size() > (claims.contains(number) ? 1 : 0);
}

io::SimDisk& VolumeWorld::disk(Part part) {
    auto& volume = *volumes_.front();
    if (part == Part::map) return *layers_.at(volume.shape.head).map;
    if (part == Part::data) return *layers_.at(volume.shape.head).data;
    return *volume.disks.at(static_cast<std::size_t>(part));
}

void VolumeWorld::set_faults(const io::SimDisk::Faults& faults) {
    faults_ = faults;
    for (const auto& disk : disks_) disk->set_faults(faults);
}

std::uint64_t VolumeWorld::broken_writes() const {
    auto count = std::uint64_t{0};
    for (const auto& disk : disks_) count += disk->broken_writes();
    return count;
}

void VolumeWorld::power_cut() {
    powered_ = false;
    for (const auto& disk : disks_) disk->power_cut();
}

volume::Id VolumeWorld::boot() const {
    return {starts_};
}

void VolumeWorld::power_on() {
    powered_ = true;
    ++starts_;
    for (const auto& disk : disks_) disk->power_on();
}

Result<volume::LayerFiles> VolumeWorld::open_layer(const volume::Id& id) {
    const auto& layer = layers_.at(id);
    volume::LayerFiles files;
    files.id = id;
    files.map = TRY(loop_->open(*layer.map));
    files.data = TRY(loop_->open(*layer.data));
    files.data_size = layer.data->size();
    return files;
}

Result<volume::Files> VolumeWorld::open(Number number) {
    const auto& volume = *volumes_.at(number);
    volume::Files files;
    files.journal[0] = TRY(loop_->open(*volume.disks[0]));
    files.journal[1] = TRY(loop_->open(*volume.disks[1]));
    files.intent = TRY(loop_->open(*volume.disks[2]));
    for (const auto& [id, layer] : layers_)
        if (layer.claims.contains(number)) files.layers.push_back(TRY(open_layer(id)));
    return files;
}

// A directory and its files are made at one instant, stable, or not at all; whoever asked may not
// learn of it.
io::Task<void> VolumeWorld::Store::take_time() {
    const auto least = std::chrono::microseconds{20};
    const auto pause = world_.random_.between(least, std::chrono::microseconds{300});
    co_await world_.loop().sleep(pause);
    if (!world_.powered_) co_await fail(Kind::io, "the host has no power");
    if (world_.random_.chance(world_.faults_.error)) co_await fail(Kind::io, "an injected fault");
}

io::Task<volume::LayerFiles> VolumeWorld::Store::create(volume::Id layer) {
    co_await take_time();
    if (world_.layers_.contains(layer)) co_await fail(Kind::exists, "there is such a layer");
    world_.add_layer(layer, number_);
    co_await take_time();
    auto files = co_await world_.open_layer(layer);
    co_return files;
}

io::Task<void> VolumeWorld::Store::release(volume::Id layer) {
    co_await take_time();
    if (const auto found = world_.layers_.find(layer); found != world_.layers_.end())
        found->second.claims.erase(number_);
    if (number_ == first) ++world_.claims_ended_;
}

io::Task<bool> VolumeWorld::Store::shared(volume::Id layer) {
    co_await take_time();
    co_return world_.shared(number_, layer);
}

}  // namespace sheaf::sim

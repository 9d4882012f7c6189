#include "sim/volume_world.h"

#include "base/units.h"

namespace sheaf::sim {

namespace {

constexpr std::uint64_t metadata_capacity = 8_MiB;
constexpr std::uint32_t log_pages = 16;  // few, so that the log goes round often

volume::Id id_of(std::uint8_t number) {
    volume::Id id{};
    id.back() = number;
    return id;
}

}  // namespace

VolumeWorld::VolumeWorld(std::uint64_t seed, std::uint64_t volume_size, std::uint64_t data_capacity)
    : loop_(io::SimLoop::create(seed).value()) {
    for (std::size_t part = 0; part < parts; ++part) {
        auto& disk = *disks_.emplace_back(std::make_unique<io::SimDisk>(0, seed * parts + part));
        const auto data = part == static_cast<std::size_t>(Part::data);
        disk.set_capacity(data ? data_capacity : metadata_capacity);
        disk.demand_direct_transfers();
    }
    shape_.size = volume_size;
    shape_.id = id_of(1);
    shape_.head = id_of(2);
    shape_.log_pages = log_pages;
}

void VolumeWorld::set_faults(const io::SimDisk::Faults& faults) {
    for (const auto& disk : disks_) disk->set_faults(faults);
}

std::uint64_t VolumeWorld::broken_writes() const {
    auto count = std::uint64_t{0};
    for (const auto& disk : disks_) count += disk->broken_writes();
    return count;
}

void VolumeWorld::power_cut() {
    for (const auto& disk : disks_) disk->power_cut();
}

void VolumeWorld::power_on() {
    for (const auto& disk : disks_) disk->power_on();
}

Result<volume::Files> VolumeWorld::open() {
    volume::Files files;
    files.journal[0] = TRY(loop_->open(disk(Part::first_journal)));
    files.journal[1] = TRY(loop_->open(disk(Part::second_journal)));
    files.intent = TRY(loop_->open(disk(Part::intent)));
    auto& head = files.layers.emplace_back();
    head.id = shape_.head;
    head.map = TRY(loop_->open(disk(Part::map)));
    head.data = TRY(loop_->open(disk(Part::data)));
    head.data_size = disk(Part::data).size();
    return files;
}

}  // namespace sheaf::sim

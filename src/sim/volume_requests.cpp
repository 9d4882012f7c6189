// The requests of a history, and what the model says of their results.

#include <algorithm>

#include "sim/volume_history.h"
#include "storage/aligned_buffer.h"

namespace sheaf::sim {

namespace {

constexpr auto sector = SectorModel::sector_size;
constexpr std::uint64_t block = 4_KiB;

}  // namespace

// A request may fail where a disk did; the guest is told, and that is all.
void VolumeHistory::failed(const Error& error, const char* what) {
    ++result_.coverage.failed_requests;
    if (error.kind() == Kind::corrupt) damaged(error, what);
}

// Of the map there is one copy: what a stray write has hit there may be missed, if never mistaken.
// All other metadata must survive what is done to it.
void VolumeHistory::damaged(const Error& error, const char* what) {
    refused_ = map_may_be_hit_;
    if (!refused_) violate(std::string{what} + ": " + error.text());
}

void VolumeHistory::fill(std::span<std::byte> bytes, SectorModel::Range sectors, Version version) {
    for (auto number = sectors.first; number < sectors.end; ++number)
        SectorModel::fill(bytes.subspan((number - sectors.first) * sector, sector), number,
                          version);
}

io::Task<void> VolumeHistory::write(Place place) {
    ++result_.coverage.writes;
    const auto sectors = place.sectors();
    const auto version = ++last_version_;
    storage::AlignedBuffer buffer{align_up(place.length, block)};
    const auto bytes = buffer.bytes().first(place.length);
    fill(bytes, sectors, version);
    const iovec piece{bytes.data(), bytes.size()};
    const auto id = model_.begin_write(sectors, version);
    const auto outcome = co_await volume_->write(place.offset, std::span{&piece, 1}).result();
    model_.end_write(sectors, id, outcome ? SectorModel::End::done : SectorModel::End::failed);
    if (!outcome) failed(outcome.error(), "a write");
}

io::Task<void> VolumeHistory::zero(Place place, Zeroing zeroing) {
    ++result_.coverage.zeroes;
    const auto id = model_.begin_write(place.sectors(), 0);
    auto outcome = Result<void>{};
    if (zeroing == Zeroing::discard) {
        outcome = co_await volume_->discard(place.offset, place.length).result();
    } else {
        outcome =
            co_await volume_->zero(place.offset, place.length, storage::Space::release).result();
    }
    model_.end_write(place.sectors(), id,
                     outcome ? SectorModel::End::done : SectorModel::End::failed);
    if (!outcome) failed(outcome.error(), "zeroing");
}

io::Task<void> VolumeHistory::read(Place place) {
    ++result_.coverage.reads;
    storage::AlignedBuffer buffer{align_up(place.length, block)};
    const auto bytes = buffer.bytes().first(place.length);
    const iovec piece{bytes.data(), bytes.size()};
    const auto beginning = model_.begin_read(place.sectors());
    const auto outcome = co_await volume_->read(place.offset, std::span{&piece, 1}).result();
    if (!outcome) {
        failed(outcome.error(), "a read");
        co_return;
    }
    auto wrong = model_.end_read(place.sectors(), beginning, bytes);
    if (wrong) violate("a read: " + *wrong);
}

io::Task<void> VolumeHistory::flush() {
    ++result_.coverage.flushes;
    const auto began = model_.now();
    const auto outcome = co_await volume_->flush().result();
    if (outcome) {
        model_.flushed(began);
    } else {
        ++result_.coverage.failed_requests;
    }
}

io::Task<void> VolumeHistory::checkpoint() {
    const auto outcome = co_await volume_->checkpoint().result();
    if (!outcome) failed_to_change();
}

// Reads everything, while the disks do what they should.
io::Task<void> VolumeHistory::verify() {
    for (std::uint64_t offset = 0; offset < size_ && !over(); offset += block)
        co_await verify_block(offset);
    // A block that is written anew is healed when that is stable: were it lost in a crash, the
    // damage would be in a marked region, where nobody could tell.
    if (flips_found_ > 0) co_await flush();
    flips_ = flips_found_ = 0;
}

// A flipped bit may be found, never given out.
io::Task<void> VolumeHistory::verify_block(std::uint64_t offset) {
    storage::AlignedBuffer buffer{block};
    const iovec piece{buffer.bytes().data(), block};
    const Place place{offset, block};
    const auto beginning = model_.begin_read(place.sectors());
    const auto outcome = co_await volume_->read(offset, std::span{&piece, 1}).result();
    if (!outcome && outcome.error().kind() == Kind::corrupt && flips_ > 0) {
        --flips_;
        ++flips_found_;
        ++result_.coverage.detected_flips;
        co_await write(place);
    } else if (!outcome) {
        damaged(outcome.error(), "reading everything");
    } else if (auto wrong = model_.end_read(place.sectors(), beginning, buffer.bytes())) {
        violate("reading everything: " + *wrong);
    }
}

// Of the layer that is written now: a commit that had failed may have changed which one that is.
void VolumeHistory::flip_bits() {
    auto& data = world_.data(head_of(*volume_));
    if (data.size() == 0 || !random_.chance(0.5)) return;
    flips_ = 1 + random_.below(4);
    result_.coverage.flipped_bits += flips_;
    for (std::uint64_t flip = 0; flip < flips_; ++flip)
        data.flip_bit(random_.below(data.size()), static_cast<unsigned>(random_.below(8)));
}

void Coverage::add(const Coverage& other) {
    steps += other.steps;
    writes += other.writes;
    reads += other.reads;
    flushes += other.flushes;
    zeroes += other.zeroes;
    kills += other.kills;
    power_cuts += other.power_cuts;
    clean_closes += other.clean_closes;
    failed_requests += other.failed_requests;
    broken_metadata_writes += other.broken_metadata_writes;
    refused += other.refused;
    flipped_bits += other.flipped_bits;
    detected_flips += other.detected_flips;
    snapshots += other.snapshots;
    snapshots_read += other.snapshots_read;
    views += other.views;
    deletes += other.deletes;
    reverts += other.reverts;
    clones += other.clones;
    over_base += other.over_base;
    flattened += other.flattened;
    resizes += other.resizes;
    layers_checked += other.layers_checked;
    engine.add(other.engine);
}

}  // namespace sheaf::sim

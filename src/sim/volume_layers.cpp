// What a history does to the stack of layers, and what must be true of it afterwards.

#include <algorithm>

#include <fmt/format.h>

#include "sim/volume_history.h"
#include "storage/aligned_buffer.h"
#include "storage/vectors.h"

namespace sheaf::sim {

namespace {

using volume::Volume;

constexpr auto sector = SectorModel::sector_size;
constexpr std::uint64_t piece_size = 64_KiB;
constexpr std::size_t most_snapshots = 4;
constexpr std::uint64_t most_reads = 30;  // of one view

}  // namespace

volume::Id VolumeHistory::head_of(const Volume& volume) const {
    for (const auto& layer : volume.layers())
        if ((layer.flags & volume::layer_frozen) == 0) return layer.id;
    return {};
}

std::optional<std::string> VolumeHistory::draw_snapshot() {
    std::vector<std::string> names;
    for (const auto& [name, book] : books_)
        if (book.certain) names.push_back(name);
    if (names.empty()) return std::nullopt;
    return names[random_.below(names.size())];
}

void VolumeHistory::start_layer_step() {
    const auto draw = random_.below(100);
    const auto name = draw_snapshot();
    if (name && volume_->merging() && random_.chance(0.3)) {
        // What is half merged is not to be claimed.
        requests_->start(checkpoint());
        requests_->start(clone(*name));
    } else if (draw < 30 || !name) {
        if (books_.size() >= most_snapshots) return;
        if (random_.chance(0.3)) requests_->start(refuse_superblocks());
        requests_->start(take_snapshot());
    } else if (draw < 55) {
        start_delete(*name);
    } else if (draw < 70) {
        requests_->start(read_snapshot(*name, 1 + random_.below(6)));
    } else if (draw < 80) {
        requests_->start(clone(*name));
    } else if (draw < 88) {
        requests_->start(resize());
    } else if (draw < 92) {
        requests_->start(flatten());
    } else {
        quiet_wanted_ = true;
    }
}

// What the youngest has is merged into the head, under requests. Whoever reads it may go on until
// it would long be merged.
void VolumeHistory::start_delete(std::string name) {
    const auto youngest = fmt::format("s{}", last_snapshot_);
    const auto book = books_.find(youngest);
    if (book != books_.end() && book->second.certain && random_.chance(0.5)) name = youngest;
    if (random_.chance(0.2)) requests_->start(read_snapshot(name, most_reads));
    requests_->start(delete_snapshot(name));
}

// It fails too where a write that was lost or went astray is found by reading again.
void VolumeHistory::failed_to_change() {
    ++result_.coverage.failed_requests;
}

// A volume whose base another one made, which may be gone since.
io::Task<void> VolumeHistory::make_base() {
    const auto number = world_.add(size_, {});
    auto files = co_await world_.open(number);
    co_await Volume::create(world_.loop(), std::move(files), world_.shape(number));
    auto again = co_await world_.open(number);
    const auto source = co_await Volume::open(world_.loop(), std::move(again), world_.store(number),
                                              engine_options());
    auto outcome = Result<void>{};
    for (auto turn = 1 + random_.below(2); turn > 0 && outcome; --turn) {
        outcome = co_await use_block(*source, model_, size_, 20).result();
        const auto name = fmt::format("base-{}", turn);
        if (outcome) outcome = co_await source->snapshot(name).result();
    }
    auto base = std::vector<volume::LayerEntry>{};
    if (auto chain = source->chain("base-1"); chain && outcome) base = *std::move(chain);
    const auto ended = co_await source->shut_down().result();
    co_await std::move(outcome);
    world_.set_base(std::move(base));
    const auto began = model_.now();
    model_.flushed(began);
    model_ = SectorModel::frozen(model_, model_);
    if (random_.chance(0.5)) world_.drop(number);
    ++result_.coverage.over_base;
}

io::Task<void> VolumeHistory::take_snapshot() {
    ++result_.coverage.snapshots;
    const auto name = fmt::format("s{}", ++last_snapshot_);
    const auto before = model_;
    const auto began = model_.now();
    const auto size = size_;
    auto& book = books_.try_emplace(name, Book{before, size, false}).first->second;
    const auto outcome = co_await volume_->snapshot(name).result();
    book.model = SectorModel::frozen(before, model_);
    book.certain = outcome.has_value();
    if (outcome) {
        model_.flushed(began);
    } else {
        failed_to_change();
        if (outcome.error().kind() == Kind::io) co_await flush_and_lose_power();
    }
}

// For a moment, which may be that of a commit, the journals take no superblock.
io::Task<void> VolumeHistory::refuse_superblocks() {
    const auto pause = random_.between(io::Duration{0}, std::chrono::milliseconds{15});
    co_await world_.loop().sleep(pause);
    set_error_at_start(1);
    const auto over = co_await world_.loop().sleep(std::chrono::milliseconds{2}).result();
    set_error_at_start(0);
}

void VolumeHistory::set_error_at_start(double probability) {
    for (const auto part : {VolumeWorld::Part::first_journal, VolumeWorld::Part::second_journal}) {
        auto faults = world_.disk(part).faults();
        faults.error_at_start = probability;
        world_.disk(part).set_faults(faults);
    }
}

// What the flush has said counts, whatever the disk has of the change that failed.
io::Task<void> VolumeHistory::flush_and_lose_power() {
    const auto began = model_.now();
    const auto outcome = co_await volume_->flush().result();
    if (!outcome) co_return;
    model_.flushed(began);
    lose_power();
}

io::Task<void> VolumeHistory::delete_snapshot(std::string name) {
    ++result_.coverage.deletes;
    books_.at(name).certain = false;
    const auto outcome = co_await volume_->delete_snapshot(name).result();
    if (outcome) {
        deleted_.push_back(books_.extract(name));
    } else {
        failed_to_change();
    }
}

io::Task<void> VolumeHistory::read_snapshot(std::string name, std::uint64_t reads) {
    ++result_.coverage.views;
    auto& book = books_.at(name);
    const auto view = co_await volume_->view(name);
    for (; reads > 0 && !over(); --reads) {
        const auto length = sector * (1 + random_.below(piece_size / sector));
        const Place place{random_.below((book.size - length) / sector) * sector, length};
        storage::AlignedBuffer buffer{piece_size};
        const auto bytes = buffer.bytes().first(length);
        const iovec piece{bytes.data(), bytes.size()};
        const auto beginning = book.model.begin_read(place.sectors());
        const auto outcome = co_await view->read(place.offset, std::span{&piece, 1}).result();
        if (!outcome) {
            failed(outcome.error(), "reading a snapshot");
        } else if (auto wrong = book.model.end_read(place.sectors(), beginning, bytes)) {
            violate(fmt::format("snapshot {}: {}", name, *wrong));
        }
        co_await take_time();
    }
}

// Nothing else runs. Where it fails, or is cut off, the next life shows what came of it.
io::Task<void> VolumeHistory::revert(std::string name) {
    ++result_.coverage.reverts;
    reverting_to_ = name;
    reverting_from_ = head_of(*volume_);
    const auto outcome = co_await volume_->revert(name).result();
    if (!outcome) {
        failed_to_change();
        co_return;
    }
    model_ = books_.at(name).model;
    reverting_to_.reset();
}

io::Task<void> VolumeHistory::resize() {
    const auto size =
        std::min(size_ + 4_KiB * (1 + random_.below(100)), world_.shape().size + most_growth);
    if (size == size_) co_return;
    ++result_.coverage.resizes;
    const auto outcome = co_await volume_->resize(size).result();
    if (outcome) {
        size_ = std::max(size_, size);
    } else if (outcome.error().kind() != Kind::invalid) {
        failed_to_change();
    }
}

io::Task<void> VolumeHistory::flatten() {
    if (!volume_->has_base()) co_return;
    const auto outcome = co_await volume_->flatten().result();
    if (outcome) {
        ++result_.coverage.flattened;
        if (volume_->has_base()) violate("a volume that was flattened has a base");
    } else {
        failed_to_change();
    }
}

// While claims are made, files opened.
io::Task<void> VolumeHistory::take_time() {
    const auto time = random_.between(io::Duration{0}, std::chrono::milliseconds{5});
    co_await world_.loop().sleep(time);
}

// A second engine on the same host, while the first goes on.
io::Task<void> VolumeHistory::clone(std::string name) {
    const auto& book = books_.at(name);
    auto view = co_await volume_->view(name);
    auto chain = volume_->chain(name);
    if (!chain) co_return;
    ++result_.coverage.clones;
    co_await take_time();
    const auto number = world_.add(book.size, *std::move(chain));
    auto model = book.model;
    view.reset();
    co_await take_time();
    const auto outcome =
        co_await use_clone(number, std::move(model), world_.shape(number).size).result();
    world_.drop(number);
    if (!outcome) failed(outcome.error(), "a clone");
}

io::Task<void> VolumeHistory::use_clone(VolumeWorld::Number number, SectorModel model,
                                        std::uint64_t size) {
    auto files = co_await world_.open(number);
    co_await Volume::create(world_.loop(), std::move(files), world_.shape(number));
    for (auto lives = 1 + random_.below(2); lives > 0; --lives) {
        auto again = co_await world_.open(number);
        const auto clone = co_await Volume::open(world_.loop(), std::move(again),
                                                 world_.store(number), engine_options());
        auto outcome = co_await use_block(*clone, model, size, 10).result();
        if (outcome && random_.chance(0.5)) outcome = co_await clone->flatten().result();
        if (outcome) outcome = co_await use_block(*clone, model, size, 10).result();
        co_await clone->abandon();
        model.crashed(Crash::kill);
        co_await std::move(outcome);
    }
}

// Some writes and reads, one after the other.
io::Task<void> VolumeHistory::use_block(storage::Block& block, SectorModel& model,
                                        std::uint64_t size, unsigned requests) {
    for (; requests > 0 && !over(); --requests) {
        const auto length = sector * (1 + random_.below(piece_size / sector));
        const Place place{random_.below((size - length) / sector) * sector, length};
        storage::AlignedBuffer buffer{piece_size};
        const auto bytes = buffer.bytes().first(length);
        const iovec piece{bytes.data(), bytes.size()};
        if (random_.chance(0.5)) {
            const auto version = ++last_version_;
            fill(bytes, place.sectors(), version);
            const auto id = model.begin_write(place.sectors(), version);
            auto outcome = co_await block.write(place.offset, std::span{&piece, 1}).result();
            model.end_write(place.sectors(), id,
                            outcome ? SectorModel::End::done : SectorModel::End::failed);
            co_await std::move(outcome);
        } else {
            const auto beginning = model.begin_read(place.sectors());
            co_await block.read(place.offset, std::span{&piece, 1});
            auto wrong = model.end_read(place.sectors(), beginning, bytes);
            if (wrong) violate("a clone: " + *wrong);
        }
    }
}

// What came of the changes that the last life left open.
io::Task<void> VolumeHistory::settle_books() {
    deleted_.clear();
    world_.end_other_claims(VolumeWorld::first, volume_->layers());
    if (const auto name = std::exchange(reverting_to_, std::nullopt))
        if (head_of(*volume_) != reverting_from_) model_ = books_.at(*name).model;
    const auto size = volume_->geometry().size;
    if (size < size_) violate(fmt::format("the volume has {} bytes, after {}", size, size_));
    size_ = size;
    const auto listed = volume_->snapshots();
    for (const auto& snapshot : listed)
        if (!books_.contains(snapshot.name))
            violate(fmt::format("there is a snapshot {} that was deleted", snapshot.name));
    for (auto book = books_.begin(); book != books_.end() && !over();) {
        const auto found = std::ranges::find(listed, book->first, &volume::Snapshot::name);
        if (found != listed.end()) {
            book->second.size = found->size;
            co_await verify_snapshot(book->first, book->second);
            book->second.certain = true;
            ++book;
        } else {
            if (book->second.certain) violate("there is no snapshot " + book->first);
            book = books_.erase(book);
        }
    }
}

io::Task<void> VolumeHistory::verify_snapshot(std::string name, Book& book) {
    ++result_.coverage.snapshots_read;
    const auto viewed = volume_->view(name);
    if (!viewed) {
        violate(viewed.error().text());
        co_return;
    }
    const auto& view = *viewed;
    storage::AlignedBuffer buffer{piece_size};
    for (std::uint64_t offset = 0; offset < book.size && !over(); offset += piece_size) {
        const Place place{offset, std::min(piece_size, book.size - offset)};
        const auto bytes = buffer.bytes().first(place.length);
        const iovec piece{bytes.data(), bytes.size()};
        const auto beginning = book.model.begin_read(place.sectors());
        const auto outcome = co_await view->read(offset, std::span{&piece, 1}).result();
        if (!outcome) {
            damaged(outcome.error(), "reading a whole snapshot");
        } else if (auto wrong = book.model.end_read(place.sectors(), beginning, bytes)) {
            violate(fmt::format("snapshot {}, whole: {}", name, *wrong));
        }
    }
}

// With nothing left to merge: no slot has two owners or none, and what was deleted is gone, but
// what two are above of, or somebody else has a claim on.
io::Task<void> VolumeHistory::check_layers() {
    const auto idle = co_await volume_->wait_idle().result();
    if (!idle) {
        damaged(idle.error(), "merging");
        co_return;
    }
    const auto slots = co_await volume_->check_slots().result();
    if (!slots) damaged(slots.error(), "the slots");
    const auto& layers = volume_->layers();
    result_.coverage.layers_checked += layers.size();
    if (world_.claims(VolumeWorld::first) != layers.size())
        violate(fmt::format("{} claims on {} layers", world_.claims(VolumeWorld::first),
                            layers.size()));
    for (const auto& layer : layers) {
        const auto above = std::ranges::count(layers, layer.number, &volume::LayerEntry::parent);
        if ((layer.flags & volume::layer_deleted) != 0 && (layer.flags & volume::layer_base) == 0 &&
            above < 2 && !world_.shared(VolumeWorld::first, layer.id))
            violate(fmt::format("layer {} was deleted and is still there", layer.number));
    }
}

// What is said to be zeros reads as zeros, and all of the volume is spoken of.
io::Task<void> VolumeHistory::check_extents() {
    storage::AlignedBuffer buffer{piece_size};
    for (std::uint64_t at = 0; at < size_ && !over();) {
        const auto found = co_await volume_->extents(at, size_ - at, 1 + random_.below(4));
        if (found.empty()) violate("no extent");
        for (const auto& extent : found) {
            const auto end = at + extent.length;
            if (extent.length == 0 || end > size_) violate("an extent of a wrong length");
            for (; at < end && extent.kind != storage::Extent::Kind::data && !over();) {
                const auto bytes = buffer.bytes().first(std::min(piece_size, end - at));
                const iovec piece{bytes.data(), bytes.size()};
                co_await volume_->read(at, std::span{&piece, 1});
                if (!std::ranges::all_of(bytes,
                                         [](std::byte byte) { return byte == std::byte{0}; }))
                    violate(fmt::format("data near {} is said to be zeros", at));
                at += bytes.size();
            }
            at = end;
        }
    }
}

}  // namespace sheaf::sim

#include "sim/volume_run.h"

#include <algorithm>

#include "base/units.h"
#include "sim/volume_history.h"

namespace sheaf::sim {

namespace {

using volume::Volume;
using Part = VolumeWorld::Part;

constexpr std::uint64_t most_length = 384_KiB;
constexpr std::size_t most_in_flight = 12;
constexpr auto sector = SectorModel::sector_size;

}  // namespace

VolumeRunResult VolumeHistory::run() {
    auto outcome = io::run(world_.loop(), lives());
    if (!outcome && result_.violation.empty())
        result_.violation = "the run ended: " + outcome.error().text();
    result_.trace = world_.loop().trace();
    result_.coverage.refused = refused_ ? 1 : 0;
    result_.coverage.broken_metadata_writes = world_.broken_writes();
    return std::move(result_);
}

VolumeRunResult run_volume(const VolumeRunOptions& options) {
    return VolumeHistory{options}.run();
}

io::Task<void> VolumeHistory::lives() {
    if (!small_ && random_.chance(0.3)) co_await make_base();
    auto files = co_await world_.open();
    co_await Volume::create(world_.loop(), std::move(files), world_.shape());
    while (!over() && result_.coverage.steps < options_.steps) {
        world_.set_faults({});
        co_await open();
        if (over()) break;
        co_await settle_books();
        co_await verify();
        if (!over() && random_.chance(0.2)) co_await check_extents();
        if (!over() && !small_ && random_.chance(0.5)) co_await check_layers();
        set_faults();
        co_await one_life();
        co_await end_life();
    }
}

volume::Options VolumeHistory::engine_options() const {
    volume::Options options;
    options.growth = {.segment = 4, .ahead = 2};
    options.most_clean_pages = 4;
    options.most_changed_pages = 6;
    options.most_marked = 3;
    options.idle = std::chrono::milliseconds{20};
    options.upkeep_interval = std::chrono::milliseconds{5};
    options.merge_batch = 4;
    options.most_free_slots = 2;
    options.most_index_bytes = 2 << 10;
    options.mutation = options_.mutation;
    options.clock = &world_.clock();
    options.boot = world_.boot();
    return options;
}

// Without faults a volume can always be opened.
io::Task<void> VolumeHistory::open() {
    auto files = co_await world_.open();
    auto opened =
        co_await Volume::open(world_.loop(), std::move(files), world_.store(), engine_options())
            .result();
    if (!opened) {
        damaged(opened.error(), "opening the volume");
        co_return;
    }
    volume_ = *std::move(opened);
}

// Requests of the life before last are over, and so is what they counted.
void VolumeHistory::close_books() {
    auto& engine = result_.coverage.engine;
    engine.add(volume_->counters());
    volume_.reset();
}

void VolumeHistory::set_faults() {
    io::SimDisk::Faults faults;
    faults.short_transfer = random_.chance(0.5) ? 0.05 : 0;
    faults.error = random_.chance(0.4) ? 0.01 : 0;
    if (random_.chance(0.2)) faults.most_delay = std::chrono::milliseconds{20};
    world_.set_faults(faults);
    // Or many commits fail at first, and the next one has to finish them.
    if (random_.chance(0.2)) set_error_at_start(0.3);
    // One of the disks that hold metadata loses writes, or puts them elsewhere.
    if (!random_.chance(0.3)) return;
    constexpr auto breakable =
        std::to_array<Part>({Part::first_journal, Part::second_journal, Part::map});
    auto& disk = world_.disk(breakable.at(random_.below(breakable.size())));
    const auto misdirects = random_.chance(0.5);
    (misdirects ? faults.misdirected : faults.lost) = 0.02;
    map_may_be_hit_ = map_may_be_hit_ || (misdirects && &disk == &world_.disk(Part::map));
    disk.set_faults(faults);
}

io::Task<void> VolumeHistory::one_life() {
    requests_.emplace();
    const auto steps = 20 + random_.below(120);
    auto claims_ended = world_.claims_ended();
    for (std::uint64_t step = 0; step < steps && powered_ && !over(); ++step) {
        if (requests_->size() < most_in_flight) start_step();
        const auto pause = random_.between(io::Duration{0}, std::chrono::microseconds{400});
        if (random_.chance(0.02)) {
            co_await world_.loop().sleep(std::chrono::milliseconds{60});
        } else {
            co_await world_.loop().sleep(pause);
        }
        // What a claim was on is gone, whatever the table says.
        const auto ended =
            world_.claims_ended() != std::exchange(claims_ended, world_.claims_ended());
        if (ended && powered_ && random_.chance(0.5)) lose_power();
    }
}

// What changes the stack is asked while requests are in flight, but for a revert.
void VolumeHistory::start_step() {
    if (reverting_to_) return;
    if (quiet_wanted_) {
        if (!requests_->empty()) return;
        quiet_wanted_ = false;
        if (const auto name = draw_snapshot()) requests_->start(revert(*name));
        return;
    }
    ++result_.coverage.steps;
    if (random_.chance(volume_->merging() ? 0.2 : 0.08)) {
        start_layer_step();
    } else {
        start_request();
    }
}

void VolumeHistory::start_request() {
    const auto draw = random_.below(100);
    if (draw < 50) {
        requests_->start(write(draw_place(random_.chance(0.3) ? sector : 4_KiB)));
    } else if (draw < 70) {
        requests_->start(read(draw_place(sector)));
    } else if (draw < 85) {
        requests_->start(flush());
    } else if (draw < 91) {
        requests_->start(zero(draw_place(sector), Zeroing::zero));
    } else if (draw < 98) {
        requests_->start(zero(draw_place(4_KiB), Zeroing::discard));
    } else {
        requests_->start(checkpoint());
    }
}

VolumeHistory::Place VolumeHistory::draw_place(std::uint64_t unit) {
    const auto length = std::min(
        size_,
        unit * (1 + random_.below(random_.chance(0.7) ? 32_KiB / unit : most_length / unit)));
    return {random_.below((size_ - length) / unit + 1) * unit, length};
}

void VolumeHistory::lose_power() {
    world_.power_cut();
    powered_ = false;
}

// However a life ends, what was flushed is there in the next.
io::Task<void> VolumeHistory::end_life() {
    const auto draw = random_.below(10);
    if (draw >= 6 && powered_) lose_power();
    if (draw < 2) world_.set_faults({});
    requests_->cancel();
    co_await requests_->join();
    quiet_wanted_ = false;
    if (!powered_) {
        co_await volume_->abandon();
        world_.power_on();
        powered_ = true;
        model_.crashed(Crash::power_cut);
        ++result_.coverage.power_cuts;
    } else if (draw < 2) {
        const auto began = model_.now();
        const auto closed = co_await volume_->shut_down().result();
        if (closed) {
            model_.flushed(began);
            ++result_.coverage.clean_closes;
            // Where checksums are still to be computed anew a flipped bit cannot be noticed.
            if (!volume_->reconciling()) flip_bits();
        }
        model_.crashed(Crash::kill);
    } else {
        co_await volume_->abandon();
        model_.crashed(Crash::kill);
        ++result_.coverage.kills;
    }
    close_books();
}

}  // namespace sheaf::sim

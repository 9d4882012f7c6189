#include "sim/cluster_run.h"

#include <sys/mman.h>

#include <algorithm>

#include "sim/cluster_history.h"
#include "storage/aligned_buffer.h"

namespace sheaf::sim {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_in_flight = 12;
constexpr std::size_t most_engines = 4;
constexpr auto longest_wait = std::chrono::minutes{5};  // until a healthy cluster serves

}  // namespace

ClusterHistory::ClusterHistory(const ClusterRunOptions& options)
    : options_(options),
      random_(options.seed),
      size_((1 + options.seed % 3) * 1_MiB + options.seed % 2 * 12_KiB),
      log_(::memfd_create("log", MFD_CLOEXEC)),
      logger_(log_.get(), LogLevel::error),
      loop_(io::SimLoop::create(options.seed).value()),
      store_(std::make_unique<SimStore>(*loop_)),
      network_(std::make_unique<ClusterNetwork>(*loop_)),
      model_(size_ / SectorModel::sector_size) {
    for (Place place = 0; place < hosts; ++place) {
        const ClusterHost::Setting setting{.loop = *loop_,
                                           .store = *store_,
                                           .logger = logger_,
                                           .seed = options.seed * hosts + place,
                                           .size = size_,
                                           .volume = "disk",
                                           .id = {},
                                           .mutation = options.mutation};
        host_.push_back(&hosts_.emplace_back(setting));
    }
}

ClusterRunResult ClusterHistory::run() {
    const auto outcome = io::run(*loop_, live());
    if (!outcome && !violated()) violate("the run ended: " + outcome.error().text());
    result_.trace = loop_->trace();
    return std::move(result_);
}

ClusterRunResult run_cluster(const ClusterRunOptions& options) {
    return ClusterHistory{options}.run();
}

io::Task<void> ClusterHistory::set_up() {
    replica::NewMembership wanted;
    wanted.size = size_;
    wanted.minimum = random_.chance(0.7) ? 2 : 1;
    for (Place place = 0; place < hosts; ++place) {
        wanted.nodes.push_back(name_of(place));
        co_await host_.at(place)->make();
        co_await host_.at(place)->start();
    }
    wanted.id = host_.front()->volume().id();
    const auto membership = co_await replica::create(wanted);
    kv::Transaction transaction;
    transaction.writes.push_back(
        {replica::membership_key("disk"), replica::encode_membership(membership), 0});
    auto& kv = host_.front()->kv();
    co_await kv.commit(std::move(transaction));
    io::SimNetwork::Faults faults;
    faults.short_transfer = random_.chance(0.5) ? 0.1 : 0;
    if (random_.chance(0.3)) faults.reset = 0.0005;
    if (faults.reset > 0) ++result_.coverage.resets;
    loop_->network().set_faults(faults);
    // Now and then on disks that take so long that a seal meets requests.
    io::SimDisk::Faults disks;
    if (random_.chance(0.5)) disks.short_transfer = 0.05;
    if (random_.chance(0.4)) disks.most_delay = 20ms;
    for (auto* host : host_) host->world().set_faults(disks);
}

io::Task<void> ClusterHistory::live() {
    co_await set_up();
    for (std::uint64_t step = 0; step < options_.steps && !violated(); ++step) {
        ++result_.coverage.steps;
        co_await forget_ended();
        if (random_.chance(0.03)) {
            co_await trouble();
        } else {
            start_step();
        }
        if (random_.chance(0.02)) {
            co_await loop_->sleep(draw_time(10ms, 800ms));
        } else {
            co_await loop_->sleep(draw_time(0us, 400us));
        }
    }
    calm_ = true;
    co_await wind_up();
    for (auto& engine : engines_) co_await end_engine(engine);
    engines_.clear();
    events_.cancel();
    static_cast<void>(co_await events_.join().result());
    for (auto* host : host_)
        if (host->running()) co_await host->stop(ClusterHost::End::kill);
    co_await store_->shut_down();
}

// Now and then an engine that was superseded, or cut off, is asked as well.
void ClusterHistory::start_step() {
    auto* engine = serving();
    const auto starting = std::ranges::any_of(engines_, &Engine::starting);
    if ((!engine && !starting) || (random_.chance(0.01) && engines_.size() < most_engines))
        return start_engine();
    if (random_.chance(0.2)) {
        auto any = engines_.begin();
        std::advance(any, static_cast<std::ptrdiff_t>(random_.below(engines_.size())));
        engine = any->volume ? &*any : engine;
    }
    if (engine && engine->requests.size() < most_in_flight) start_request(*engine);
}

void ClusterHistory::start_request(Engine& engine) {
    const auto draw = random_.below(100);
    if (draw < 50) {
        engine.requests.start(write(engine, draw_span(random_.chance(0.2) ? 512 : 4_KiB)));
    } else if (draw < 80) {
        engine.requests.start(read(engine, draw_span(random_.chance(0.2) ? 512 : 4_KiB)));
    } else if (draw < 92) {
        engine.requests.start(flush(engine));
    } else {
        engine.requests.start(zero(engine, draw_span(4_KiB)));
    }
}

io::Task<void> ClusterHistory::trouble() {
    const auto draw = random_.below(100);
    if (draw < 35) {
        break_network();
    } else if (draw < 50) {
        break_store();
    } else if (draw < 80) {
        co_await break_host();
    } else if (auto* engine = serving(); engine && draw < 95) {
        ++result_.coverage.engine_crashes;
        co_await end_engine(*engine);
    }
}

void ClusterHistory::break_network() {
    auto one = static_cast<Place>(random_.below(places));
    const auto isolates = random_.chance(0.3);
    const auto* served = serving();
    const auto contended = isolates && served && random_.chance(0.5);
    if (contended) one = served->place;
    const auto both = isolates || random_.chance(0.5);
    const auto time = draw_time(1ms, random_.chance(0.5) ? 50ms : 2000ms);
    for (Place other = 0; other < places; ++other) {
        if (other == one || (!isolates && !random_.chance(0.4))) continue;
        ++result_.coverage.cuts;
        network_->cut(one, other);
        events_.start(heal_later(one, other, time));
        if (!both) continue;
        network_->cut(other, one);
        events_.start(heal_later(other, one, time));
    }
    // Another one takes over while the one that is cut off goes on.
    if (contended && engines_.size() < most_engines) start_engine();
    if (!isolates || random_.chance(0.5)) return;
    for (auto& engine : engines_)
        if (engine.place == one) engine.kv.set_reachable(false);
    ++result_.coverage.store_outages;
    events_.start(restore_store_later(time));
}

io::Task<void> ClusterHistory::heal_later(Place from, Place to, io::Duration after) {
    co_await loop_->sleep(after);
    network_->heal(from, to);
}

void ClusterHistory::break_store() {
    ++result_.coverage.store_outages;
    for (auto& engine : engines_) engine.kv.set_reachable(!random_.chance(0.7));
    for (auto* host : host_) host->kv().set_reachable(!random_.chance(0.3));
    events_.start(restore_store_later(draw_time(1ms, 1500ms)));
}

io::Task<void> ClusterHistory::restore_store_later(io::Duration after) {
    co_await loop_->sleep(after);
    for (auto& engine : engines_) engine.kv.set_reachable(true);
    for (auto* host : host_) host->kv().set_reachable(true);
}

// One host, or now and then all of them at the same instant. Engines that run there go too.
io::Task<void> ClusterHistory::break_host() {
    const auto all = random_.chance(0.1);
    const auto chosen = random_.below(hosts);
    const auto draw = random_.below(10);
    const auto end = all || draw < 5 ? ClusterHost::End::power_cut
                     : draw < 8      ? ClusterHost::End::kill
                                     : ClusterHost::End::clean;
    const auto silent = random_.chance(0.3);
    for (Place place = 0; place < hosts; ++place) {
        auto& host = *host_.at(place);
        if ((!all && place != chosen) || !host.running()) continue;
        if (silent && end != ClusterHost::End::clean) {
            network_->silence(place);
            ++result_.coverage.silent_deaths;
        }
        // All of the host at one instant: what its disks answer then is no result.
        for (auto& engine : engines_) {
            if (engine.place != place) continue;
            engine.activation.cancel();
            engine.requests.cancel();
        }
        if (end == ClusterHost::End::power_cut) host.world().power_cut();
        for (auto& engine : engines_)
            if (engine.place == place) co_await end_engine(engine);
        co_await host.stop(end);
        ++(end == ClusterHost::End::power_cut ? result_.coverage.power_cuts
           : end == ClusterHost::End::kill    ? result_.coverage.kills
                                              : result_.coverage.clean_closes);
        events_.start(bring_host_back(place, draw_time(1ms, random_.chance(0.5) ? 30ms : 1500ms)));
    }
}

io::Task<void> ClusterHistory::bring_host_back(Place place, io::Duration after) {
    co_await loop_->sleep(after);
    const auto started = co_await host_.at(place)->start().result();
    if (!started && started.error().kind() != Kind::cancelled)
        violate("a copy does not open: " + started.error().text());
}

// A healthy cluster serves, has all its copies again, and they are alike.
io::Task<void> ClusterHistory::wind_up() {
    network_->heal_all();
    loop_->network().set_faults({});
    for (auto* host : host_) host->world().set_faults({});
    static_cast<void>(co_await events_.join().result());
    for (auto& engine : engines_) co_await end_engine(engine);
    engines_.clear();
    if (violated()) co_return;
    const auto served = co_await wait_for(&ClusterHistory::serves);
    if (!served) violate("nothing is wrong any more, and the volume is not served");
    if (violated()) co_return;
    co_await read_all(*serving());
    const auto whole = co_await wait_for(&ClusterHistory::all_in_sync);
    if (!whole) violate("nothing is wrong any more, and not all copies are in sync");
    if (violated()) co_return;
    co_await serving()->requests.join();
    co_await read_all(*serving());
    co_await compare_copies();
}

bool ClusterHistory::serves() {
    const auto starting = std::ranges::any_of(engines_, &Engine::starting);
    const auto* engine = serving();
    if (!engine && !starting) start_engine();
    return engine && engine->volume->serving();
}

// Something is written now and then, for a copy is rebuilt beside requests.
bool ClusterHistory::all_in_sync() {
    if (!serves()) return false;
    auto& engine = *serving();
    if (random_.chance(0.3) && engine.requests.size() < most_in_flight)
        engine.requests.start(write(engine, draw_span(4_KiB)));
    return engine.volume->membership().nodes(replica::MemberState::in_sync).size() == hosts;
}

io::Task<bool> ClusterHistory::wait_for(bool (ClusterHistory::*condition)()) {
    const auto deadline = loop_->now() + longest_wait;
    while (!(this->*condition)()) {
        if (loop_->now() > deadline) co_return false;
        co_await loop_->sleep(10ms);
        co_await forget_ended();
    }
    co_return true;
}

io::Task<void> ClusterHistory::read_all(Engine& engine) {
    for (std::uint64_t offset = 0; offset < size_ && !violated(); offset += 4_KiB) {
        const Span span{offset, 4_KiB};
        co_await read(engine, span);
    }
}

// Beside the engine, each by itself.
io::Task<void> ClusterHistory::compare_copies() {
    storage::AlignedBuffer first{4_KiB};
    storage::AlignedBuffer other{4_KiB};
    const iovec wanted{first.bytes().data(), 4_KiB};
    const iovec found{other.bytes().data(), 4_KiB};
    for (std::uint64_t offset = 0; offset < size_; offset += 4_KiB) {
        co_await host_.front()->volume().read(offset, std::span{&wanted, 1});
        for (Place place = 1; place < hosts; ++place) {
            co_await host_.at(place)->volume().read(offset, std::span{&found, 1});
            if (!std::ranges::equal(first.bytes(), other.bytes()))
                violate(fmt::format("copies 0 and {} differ at {}", place, offset));
        }
    }
    result_.coverage.copies_compared += hosts;
}

}  // namespace sheaf::sim

// The engines of a history: they begin on any host, at any time, and end by a crash, or by finding
// out that another one began.

#include <algorithm>

#include "sim/cluster_history.h"
#include "storage/replica/remote_replica.h"

namespace sheaf::sim {

ClusterHistory::Engine::Engine(ClusterHistory& its_history, Place where)
    : history(its_history),
      place(where),
      kv(*its_history.loop_, *its_history.store_, its_history.random_.below(1 << 30)) {}

std::string ClusterHistory::name_of(Place place) {
    return fmt::format("node-{}", place);
}

// An engine on a host with a copy has it in its own process.
io::Task<std::unique_ptr<replica::Replica>> ClusterHistory::Engine::open(std::string node) {
    Place target = 0;
    while (name_of(target) != node) ++target;
    auto& host = *history.host_.at(target);
    if (target == place) {
        if (!host.running()) co_await fail(Kind::unavailable, "the copy is not open");
        co_return host.session();
    }
    auto ends = co_await history.network_->connect(place, target);
    if (!host.running()) co_await fail(Kind::unavailable, "nobody listens at {}", node);
    host.serve(std::move(ends.there), replica::Caller{});
    replica::Hello hello;
    hello.volume = host.volume().id();
    hello.node = name_of(place);
    co_return co_await replica::RemoteReplica::open(*history.loop_, std::move(ends.here),
                                                    std::move(hello));
}

ClusterHistory::Engine* ClusterHistory::serving() {
    for (auto& engine : engines_)
        if (engine.volume && engine.life == life_ && !engine.volume->ended()) return &engine;
    return nullptr;
}

void ClusterHistory::start_engine() {
    auto place = static_cast<Place>(random_.below(places));
    if (place < hosts && !host_.at(place)->running()) place = hosts;
    auto& engine = engines_.emplace_back(*this, place);
    engine.starting = true;
    engine.kv.set_faults({.lost_request = calm_ ? 0 : 0.05,
                          .lost_answer = calm_ ? 0 : 0.05,
                          .patience = std::chrono::milliseconds{100}});
    engine.activation.start(activate(engine));
}

io::Task<void> ClusterHistory::activate(Engine& engine) {
    replica::EngineOptions options;
    options.volume = "disk";
    options.node = name_of(engine.place);
    options.instance = random_.below(1ULL << 62);
    options.patience = {std::chrono::milliseconds{20}, std::chrono::milliseconds{300}};
    options.retry = std::chrono::milliseconds{10};
    options.restore = std::chrono::milliseconds{50};
    options.settle = std::chrono::milliseconds{30};
    options.mutation = options_.mutation;
    auto opened =
        co_await replica::ReplicatedVolume::open(*loop_, engine.kv, engine, options).result();
    engine.starting = false;
    if (!opened) ++result_.coverage.failed_activations;
    if (!opened) co_return;
    engine.volume = *std::move(opened);
    began_to_serve(engine);
}

// What no write can do any more it did before, or never will. What was answered is there, flushed
// or not, as long as one copy that counted lost nothing.
void ClusterHistory::began_to_serve(Engine& engine) {
    const auto& began = engine.volume->began_with();
    if (began.epoch < newest_epoch_) return;
    newest_epoch_ = began.epoch;
    engine.life = ++life_;
    ++result_.coverage.activations;
    auto all_broken = true;
    for (const auto& member : began.members)
        if (member.state == replica::MemberState::in_sync)
            for (Place place = 0; place < hosts; ++place)
                if (name_of(place) == member.node)
                    all_broken = all_broken && host_.at(place)->broken_since(member.incarnation);
    const auto loss = engine.volume->began_from_loss();
    if (loss && !all_broken) violate("a copy that lost something was believed, another was not");
    if (loss) ++result_.coverage.from_loss;
    // An engine before this one may have begun from a loss and ended before it served: the record
    // knows.
    const auto losses = engine.volume->membership().losses;
    model_.crashed(losses > losses_ ? Crash::power_cut : Crash::kill);
    losses_ = losses;
}

io::Task<void> ClusterHistory::end_engine(Engine& engine) {
    engine.activation.cancel();
    engine.requests.cancel();
    static_cast<void>(co_await engine.activation.join().result());
    static_cast<void>(co_await engine.requests.join().result());
    if (!engine.volume) co_return;
    const auto& ended = engine.volume->ended();
    if (ended && ended->kind() == Kind::conflict) ++result_.coverage.superseded;
    co_await engine.volume->abandon();
    result_.coverage.engine.add(engine.volume->counters());
    engine.volume.reset();
}

// Those that have nothing to do any more.
io::Task<void> ClusterHistory::forget_ended() {
    for (auto engine = engines_.begin(); engine != engines_.end();) {
        const auto over = engine->volume ? engine->volume->ended().has_value() : !engine->starting;
        if (over && engine->requests.empty()) {
            co_await end_engine(*engine);
            engine = engines_.erase(engine);
        } else {
            ++engine;
        }
    }
}

}  // namespace sheaf::sim

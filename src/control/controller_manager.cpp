#include "control/controller_manager.h"

#include <algorithm>

#include "api/stored_object.h"
#include "io/time_limit.h"

namespace sheaf::control {

namespace {

constexpr std::chrono::seconds after_failure{1};
constexpr auto all_objects = "objects/";

bool watches(const Reconciler& reconciler, const api::Kind* kind) {
    return std::ranges::find(reconciler.watched(), kind) != reconciler.watched().end();
}

bool passes(const Error& error) {
    return error.kind() == Kind::unavailable || error.kind() == Kind::timed_out;
}

}  // namespace

void ControllerManager::add(Reconciler& reconciler, WorkQueue::Random random,
                            ControllerLimits limits) {
    controllers_.emplace_back(loop_, client_, reconciler, logger_, std::move(random), limits);
}

io::Task<void> ControllerManager::run() {
    io::TaskGroup working;
    for (auto& controller : controllers_) working.start(controller.run());
    following_.start(follow());
    if (stopping_) stop();
    auto outcome = co_await working.join().result();
    following_.cancel();
    static_cast<void>(co_await following_.join().result());  // its end was asked for
    co_await std::move(outcome);
}

void ControllerManager::look_again(const Reconciler& reconciler, const ObjectKey& key) {
    for (auto& controller : controllers_)
        if (&controller.reconciler() == &reconciler) controller.add(key);
}

void ControllerManager::stop() {
    stopping_ = true;
    following_.cancel();
    for (auto& controller : controllers_) controller.stop();
}

// A history that is lost, and anything else that ends a watch, is no more than a new beginning.
io::Task<void> ControllerManager::follow() {
    while (true) {
        const auto followed = co_await follow_from_now().result();
        if (!followed && followed.error().kind() == Kind::cancelled) co_await followed;
        if (!followed)
            logger_.warning("controllers begin anew", {{"reason", followed.error().text()}});
        co_await loop_.sleep(after_failure);
    }
}

// What was before the revision is seen by who reads after it, what comes later by the watch.
io::Task<void> ControllerManager::follow_from_now() {
    kv::ListRequest request{.prefix = all_objects, .after = {}, .limit = 1, .at = 0};
    const auto page = co_await client_.store().list(std::move(request));
    co_await add_all();
    const auto watch = client_.store().watch(all_objects, page.revision);
    auto resync_at = loop_.now() + resync;
    while (true) {
        const auto rest = std::max(resync_at - loop_.now(), io::Duration{0});
        auto changes = co_await io::within(loop_, rest, watch->next()).result();
        if (changes) {
            for (auto& change : *changes) co_await tell(std::move(change));
        } else if (!passes(changes.error())) {
            co_await std::move(changes);
        } else if (loop_.now() < resync_at) {
            co_await loop_.sleep(after_failure);
        }
        if (loop_.now() < resync_at) continue;
        co_await add_all();
        resync_at = loop_.now() + resync;
    }
}

io::Task<void> ControllerManager::add_all() {
    for (auto& controller : controllers_) co_await controller.add_all();
}

io::Task<void> ControllerManager::tell(kv::Change change) {
    const auto changed = parse_record_key(change.key);
    if (!changed) co_return;
    std::optional<Json> now;
    for (auto& controller : controllers_) {
        if (&controller.reconciler().kind() == changed->kind) controller.add(changed->key);
        if (!watches(controller.reconciler(), changed->kind)) continue;
        if (!now && change.now) now = co_await api::published_object(*changed->kind, *change.now);
        co_await tell(controller, *changed, now ? &*now : nullptr);
    }
}

// Where it cannot be said whom it matters to, it matters to all.
io::Task<void> ControllerManager::tell(Controller& controller, const KindAndKey& changed,
                                       const Json* now) {
    auto& reconciler = controller.reconciler();
    const auto keys = co_await reconciler.affected(*changed.kind, changed.key, now).result();
    if (!keys) co_return co_await controller.add_all();
    for (const auto& key : *keys) controller.add(key);
}

}  // namespace sheaf::control

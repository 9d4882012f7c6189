#include "control/snapshot_reconciler.h"

#include <array>

#include "api/kinds.h"

namespace sheaf::control {

const api::Kind& SnapshotReconciler::kind() const {
    return api::snapshot_kind;
}

std::span<const api::Kind* const> SnapshotReconciler::watched() const {
    static constexpr auto kinds = std::to_array<const api::Kind*>({&api::volume_kind});
    return kinds;
}

io::Task<std::vector<ObjectKey>> SnapshotReconciler::affected(const api::Kind& kind,
                                                              ObjectKey changed, const Json*) {
    co_return dependents_.of(kind, changed);
}

io::Task<LookAgain> SnapshotReconciler::reconcile(ObjectKey key, std::optional<Json> object) {
    dependents_.forget(key);
    if (!object) co_return std::nullopt;
    if (api::is_terminating(*object)) {
        co_await end(*std::move(object));
        co_return std::nullopt;
    }
    // Taken once, it stays what it is.
    if (is_condition(*object, "Ready", yes)) co_return std::nullopt;
    co_await client_.add_finalizer(kind(), *object, std::string{finalizer});
    auto provided = co_await provide(*object).result();
    if (!provided && provided.error().kind() == Kind::cancelled)
        co_await Failure{Error{provided.error()}};
    auto outcome = provided ? *provided : outcome_of(provided.error());
    auto status = status_of(*object);
    if (outcome.ready == yes) status["creationTime"] = client_.time();
    co_await tell_outcome(client_, events_, kind(), *object, std::move(status), std::move(outcome));
    if (!provided) co_await std::move(provided);
    co_return std::nullopt;
}

// Of which volume it is stands in its status before it is taken: whoever removes it finds it there.
io::Task<Outcome> SnapshotReconciler::provide(Json& object) {
    const auto name = std::string{object.text_at({"spec", "volume"})};
    if (name.empty())
        co_return Outcome{"Failed", no, "NotSupported",
                          "all disks of a machine at one instant: not offered yet; take a Snapshot "
                          "of each volume"};
    ObjectKey on{key_of(object).name_space, name};
    dependents_.wait(key_of(object), api::volume_kind, on);
    const auto volume = co_await client_.get(api::volume_kind, std::move(on));
    if (!volume || !is_condition(*volume, "Ready", yes) || api::is_terminating(*volume))
        co_return Outcome{
            "Pending", no, volume ? "SourceNotReady" : "SourceNotFound",
            fmt::format("volume {} {}", name, volume ? "is not ready" : "does not exist")};
    auto status = status_of(object);
    const auto disk = pool_name_of(*volume);
    if (const auto known = status.text_at({"volume"}); !known.empty() && known != disk)
        co_return Outcome{"Failed", no, "Lost", "its volume was replaced by another one"};
    status["volume"] = disk;
    co_await client_.set_status(kind(), object, std::move(status));
    co_await pool_.take_snapshot(disk, pool_name_of(object));
    co_return Outcome{"Ready", yes, "Taken", {}};
}

io::Task<void> SnapshotReconciler::end(Json object) {
    if (!has_finalizer(object, finalizer)) co_return;
    const auto disk = std::string{object.text_at({"status", "volume"})};
    if (!disk.empty()) {
        const auto removed = co_await pool_.remove_snapshot(disk, pool_name_of(object)).result();
        if (!removed && removed.error().kind() != Kind::cancelled) {
            auto outcome = outcome_of(removed.error());
            co_await tell_terminating(client_, events_, kind(), object, std::move(outcome));
        }
        co_await removed;
    }
    co_await client_.remove_finalizer(kind(), object, std::string{finalizer});
}

}  // namespace sheaf::control

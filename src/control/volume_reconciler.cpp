#include "control/volume_reconciler.h"

#include <array>

#include "api/kinds.h"
#include "api/quantity.h"

namespace sheaf::control {

namespace {

constexpr auto look_interval = std::chrono::seconds{5};

Outcome waits_for(std::string_view noun, std::string_view name, bool there) {
    return {"Pending", no, there ? "SourceNotReady" : "SourceNotFound",
            fmt::format("{} {} {}", noun, name, there ? "is not ready yet" : "does not exist")};
}

// Where a copy of a volume begins: a snapshot of it that nobody else knows.
std::string snapshot_for(const Json& object) {
    return pool_name_of(object);
}

}  // namespace

const api::Kind& VolumeReconciler::kind() const {
    return api::volume_kind;
}

std::span<const api::Kind* const> VolumeReconciler::watched() const {
    static constexpr auto kinds =
        std::to_array<const api::Kind*>({&api::image_kind, &api::snapshot_kind, &api::volume_kind});
    return kinds;
}

io::Task<std::vector<ObjectKey>> VolumeReconciler::affected(const api::Kind& kind,
                                                            ObjectKey changed, const Json*) {
    co_return dependents_.of(kind, changed);
}

io::Task<LookAgain> VolumeReconciler::reconcile(ObjectKey key, std::optional<Json> object) {
    dependents_.forget(key);
    if (!object) co_return std::nullopt;
    if (api::is_terminating(*object)) co_return co_await end(*std::move(object));
    co_await client_.add_finalizer(kind(), *object, std::string{finalizer});
    auto status = status_of(*object);
    auto provided = co_await provide(*object, status).result();
    if (!provided && provided.error().kind() == Kind::cancelled)
        co_await Failure{Error{provided.error()}};
    auto outcome = provided ? *provided : outcome_of(provided.error());
    const auto again = outcome.again;
    co_await tell_outcome(client_, events_, kind(), *object, std::move(status), std::move(outcome));
    if (!provided) co_await std::move(provided);
    co_return again;
}

io::Task<Outcome> VolumeReconciler::provide(const Json& object, Json& status) {
    const auto size = co_await api::quantity_at(object, {"spec", "size"});
    auto facts = co_await pool_.find_volume(pool_name_of(object));
    if (!facts) co_return co_await make(object, status, size.value_or(0));
    co_return co_await keep(object, status, size.value_or(0), *std::move(facts));
}

io::Task<Outcome> VolumeReconciler::make(const Json& object, Json& status, std::uint64_t size) {
    // Its data was there, and was not removed by whom it belongs to.
    if (!status.text_at({"volume"}).empty())
        co_return Outcome{"Failed", no, "Lost", "it is not in the pool any more"};
    NewDisk wanted{pool_name_of(object), size, {}};
    if (auto waits = co_await find_origin(object, wanted.from)) co_return *std::move(waits);
    auto made = co_await pool_.create(std::move(wanted)).result();
    if (!made && made.error().kind() != Kind::exists) co_await std::move(made);
    auto facts = co_await pool_.find_volume(pool_name_of(object));
    if (!facts) co_await fail(Kind::unavailable, "it was removed while it was made");
    co_return co_await keep(object, status, size, *std::move(facts));
}

io::Task<Outcome> VolumeReconciler::keep(const Json& object, Json& status, std::uint64_t size,
                                         DiskFacts facts) {
    if (!facts.problem.empty()) co_await fail(Kind::corrupt, "{}", facts.problem);
    const auto name = pool_name_of(object);
    if (status.text_at({"volume"}).empty()) co_await let_origin_go(object);
    if (facts.size < size) {
        co_await pool_.grow(name, size);
        facts.size = size;
    }
    status["volume"] = name;
    status["size"] = api::quantity_text(facts.size);
    status["used"] = api::quantity_text(facts.used);
    co_return Outcome{"Ready", yes, "Provided", {}};
}

io::Task<std::optional<Json>> VolumeReconciler::look_at(const Json& object, const api::Kind& kind,
                                                        std::string name) {
    const auto who = key_of(object);
    ObjectKey on{who.name_space, std::move(name)};
    dependents_.wait(who, kind, on);
    co_return co_await client_.get(kind, std::move(on));
}

// Gives what it waits for, where it does.
io::Task<std::optional<Outcome>> VolumeReconciler::find_origin(const Json& object, Origin& origin) {
    const auto* source = object.at({"spec", "source"});
    if (!source) co_return std::nullopt;
    if (source->find("image")) co_return co_await from_image(object, origin);
    if (source->find("snapshot")) co_return co_await from_snapshot(object, origin);
    if (source->find("volume")) co_return co_await from_volume(object, origin);
    co_return std::nullopt;
}

io::Task<std::optional<Outcome>> VolumeReconciler::from_image(const Json& object, Origin& origin) {
    const auto name = std::string{object.text_at({"spec", "source", "image"})};
    const auto image = co_await look_at(object, api::image_kind, name);
    if (!image || !is_condition(*image, "Ready", yes))
        co_return waits_for("image", name, image.has_value());
    if (image->text_at({"spec", "kind"}) == "kernel")
        co_await fail(Kind::invalid, "image {} is a kernel, and no disk", name);
    origin = pool::Origin{pool::Shelf::images, pool_name_of(*image), {}};
    co_return std::nullopt;
}

io::Task<std::optional<Outcome>> VolumeReconciler::from_snapshot(const Json& object,
                                                                 Origin& origin) {
    const auto name = std::string{object.text_at({"spec", "source", "snapshot"})};
    const auto snapshot = co_await look_at(object, api::snapshot_kind, name);
    if (!snapshot || !is_condition(*snapshot, "Ready", yes))
        co_return waits_for("snapshot", name, snapshot.has_value());
    origin =
        pool::Origin{pool::Shelf::volumes, std::string{snapshot->text_at({"status", "volume"})},
                     pool_name_of(*snapshot)};
    co_return std::nullopt;
}

io::Task<std::optional<Outcome>> VolumeReconciler::from_volume(const Json& object, Origin& origin) {
    const auto name = std::string{object.text_at({"spec", "source", "volume"})};
    const auto volume = co_await look_at(object, api::volume_kind, name);
    if (!volume || !is_condition(*volume, "Ready", yes))
        co_return waits_for("volume", name, volume.has_value());
    origin = pool::Origin{pool::Shelf::volumes, pool_name_of(*volume), snapshot_for(object)};
    co_await pool_.take_snapshot(origin->name, origin->snapshot);
    co_return std::nullopt;
}

// The snapshot that a copy was made of.
io::Task<void> VolumeReconciler::let_origin_go(const Json& object) {
    const auto name = std::string{object.text_at({"spec", "source", "volume"})};
    if (name.empty()) co_return;
    ObjectKey key{key_of(object).name_space, name};
    const auto volume = co_await client_.get(kind(), std::move(key));
    if (volume) co_await pool_.remove_snapshot(pool_name_of(*volume), snapshot_for(object));
}

io::Task<LookAgain> VolumeReconciler::end(Json object) {
    if (!has_finalizer(object, finalizer)) co_return std::nullopt;
    auto ended = co_await try_end(object).result();
    if (ended && ended->phase.empty()) {
        co_await client_.remove_finalizer(kind(), object, std::string{finalizer});
        co_return std::nullopt;
    }
    if (!ended && ended.error().kind() == Kind::cancelled) co_await Failure{Error{ended.error()}};
    auto outcome = ended ? *ended : outcome_of(ended.error());
    const auto in_use = !ended && ended.error().kind() == Kind::conflict;
    co_await tell_terminating(client_, events_, kind(), object, std::move(outcome));
    if (!ended && !in_use) co_await std::move(ended);
    co_return in_use ? LookAgain{look_interval} : std::nullopt;
}

// Snapshots go first: whoever wants to keep one does not lose it with its volume.
io::Task<Outcome> VolumeReconciler::try_end(const Json& object) {
    const auto key = key_of(object);
    const auto snapshots = co_await client_.list(api::snapshot_kind, key.name_space);
    for (const auto& snapshot : snapshots) {
        if (snapshot.text_at({"spec", "volume"}) != key.name) continue;
        dependents_.wait(key, api::snapshot_kind, key_of(snapshot));
        const auto there = co_await client_.get(api::snapshot_kind, key_of(snapshot));
        if (there)
            co_return Outcome{"Terminating", no, "HasSnapshots",
                              fmt::format("snapshot {} is of it", key_of(snapshot).name)};
    }
    if (status_of(object).text_at({"volume"}).empty()) co_await let_origin_go(object);
    co_await pool_.remove_volume(pool_name_of(object));
    co_return Outcome{};
}

}  // namespace sheaf::control

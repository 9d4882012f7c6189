#include "control/claim_reconciler.h"

#include <array>

#include "api/kinds.h"
#include "api/quantity.h"
#include "base/units.h"

namespace sheaf::control {

namespace {

// Claims are often of round decimal sizes; a volume is of whole blocks.
std::string whole_blocks(std::uint64_t bytes) {
    constexpr std::uint64_t block = 4096;
    return api::quantity_text(align_up(bytes, block));
}

Result<std::string> size_at(const Json& object, Json::Names path) {
    const auto bytes = TRY(api::quantity_at(object, path));
    if (!bytes) return fail(Kind::invalid, "it says no size");
    return whole_blocks(*bytes);
}

}  // namespace

io::Task<LookAgain> ClaimReconciler::reconcile(ObjectKey, std::optional<Json> object) {
    if (!object) co_return std::nullopt;
    if (api::is_terminating(*object)) {
        co_await end(*std::move(object));
        co_return std::nullopt;
    }
    co_await client_.add_finalizer(kind(), *object, std::string{finalizer});
    auto status = status_of(*object);
    auto provided = co_await provide(*object, status).result();
    if (!provided && provided.error().kind() == Kind::cancelled)
        co_await Failure{Error{provided.error()}};
    auto outcome = provided ? *provided : outcome_of(provided.error());
    co_await tell_outcome(client_, events_, kind(), *object, std::move(status), std::move(outcome));
    if (!provided) co_await std::move(provided);
    co_return std::nullopt;
}

io::Task<Outcome> ClaimReconciler::provide(const Json& object, Json& status) {
    const auto spec = co_await volume_spec(object);
    co_await prepare(object);
    auto volume = co_await provide_object(client_, api::volume_kind, kind(), object, spec);
    if (is_owned(volume, object)) co_await grow(object, volume, spec);
    if (is_condition(volume, "Ready", yes)) co_await clear(object);
    co_return co_await judge(object, volume, status);
}

io::Task<void> ClaimReconciler::grow(const Json& object, Json& volume, const Json& wanted) {
    const auto size = co_await api::quantity_at(wanted, {"size"});
    const auto now = co_await api::quantity_at(volume, {"spec", "size"});
    if (!size || !now || *size <= *now || api::is_terminating(object)) co_return;
    volume["spec"]["size"] = *wanted.find("size");
    co_await client_.replace(api::volume_kind, volume);
}

// The change of the Volume that is its end brings it back here.
io::Task<void> ClaimReconciler::end(Json object) {
    if (!has_finalizer(object, finalizer)) co_return;
    co_await clear(object);
    const bool gone = co_await remove_owned(client_, api::volume_kind, object);
    if (gone) co_return co_await client_.remove_finalizer(kind(), object, std::string{finalizer});
    Outcome outcome{"Terminating", no, "VolumeInUse", "its volume is still there"};
    auto status = status_of(object);
    co_await tell_outcome(client_, events_, kind(), object, std::move(status), std::move(outcome));
}

const api::Kind& PersistentClaimReconciler::kind() const {
    return api::persistent_volume_claim_kind;
}

std::span<const api::Kind* const> PersistentClaimReconciler::watched() const {
    static constexpr auto kinds = std::to_array<const api::Kind*>({&api::volume_kind});
    return kinds;
}

Result<Json> PersistentClaimReconciler::volume_spec(const Json& object) const {
    const auto size = TRY(size_at(object, {"spec", "resources", "requests", "storage"}));
    auto spec = Json::object({{"size", size}});
    const auto from = object.text_at({"spec", "dataSource", "kind"});
    if (from.empty()) return spec;
    const auto* member = from == "Image" ? "image" : from == "Snapshot" ? "snapshot" : "volume";
    spec["source"][member] = object.text_at({"spec", "dataSource", "name"});
    return spec;
}

io::Task<void> PersistentClaimReconciler::prepare(const Json&) {
    co_return;
}

io::Task<void> PersistentClaimReconciler::clear(const Json&) {
    co_return;
}

io::Task<Outcome> PersistentClaimReconciler::judge(const Json& object, const Json& volume,
                                                   Json& status) {
    if (!is_condition(volume, "Ready", yes))
        co_return Outcome{"Pending", no, "VolumeNotReady", message_of(volume, "Ready")};
    status["volume"] = volume.text_at({"status", "volume"});
    status["capacity"]["storage"] = volume.text_at({"status", "size"});
    if (const auto* modes = object.at({"spec", "accessModes"})) status["accessModes"] = *modes;
    co_return Outcome{"Bound", yes, "Bound", {}};
}

const api::Kind& DataVolumeReconciler::kind() const {
    return api::data_volume_kind;
}

std::span<const api::Kind* const> DataVolumeReconciler::watched() const {
    static constexpr auto kinds =
        std::to_array<const api::Kind*>({&api::volume_kind, &api::image_kind});
    return kinds;
}

Result<Json> DataVolumeReconciler::volume_spec(const Json& object) const {
    const auto* storage = object.at({"spec", "storage"});
    if (!storage) storage = object.at({"spec", "pvc"});
    if (!storage) return fail(Kind::invalid, "it says no size");
    auto spec =
        Json::object({{"size", TRY(size_at(*storage, {"resources", "requests", "storage"}))}});
    const auto put = [&spec](std::string_view member, std::string_view name) {
        if (!name.empty()) spec["source"][member] = name;
    };
    if (object.at({"spec", "source", "http"})) put("image", key_of(object).name);
    put("image", object.text_at({"spec", "sourceRef", "name"}));
    put("volume", object.text_at({"spec", "source", "pvc", "name"}));
    put("snapshot", object.text_at({"spec", "source", "snapshot", "name"}));
    return spec;
}

io::Task<void> DataVolumeReconciler::prepare(const Json& object) {
    const auto url = object.text_at({"spec", "source", "http", "url"});
    if (url.empty()) co_return;
    const auto volume = co_await client().get(api::volume_kind, key_of(object));
    if (volume && is_condition(*volume, "Ready", yes)) co_return;
    auto source = Json::object({{"url", url}});
    auto spec = Json::object({{"kind", "disk"}, {"source", std::move(source)}});
    const auto image =
        co_await provide_object(client(), api::image_kind, kind(), object, std::move(spec));
    if (!is_owned(image, object))
        co_await fail(Kind::invalid, "image {} is there already, and is not of this",
                      key_of(object).name);
}

// The Volume keeps what it has of it.
io::Task<void> DataVolumeReconciler::clear(const Json& object) {
    static_cast<void>(co_await remove_owned(client(), api::image_kind, object));
}

io::Task<Outcome> DataVolumeReconciler::judge(const Json& object, const Json& volume,
                                              Json& status) {
    if (is_condition(volume, "Ready", yes)) {
        status["progress"] = "100.0%";
        co_return Outcome{"Succeeded", yes, "Succeeded", {}};
    }
    status["progress"] = "N/A";
    const auto image = co_await client().get(api::image_kind, key_of(object));
    if (!object.at({"spec", "source", "http"}) || !image) {
        const auto failed = volume.text_at({"status", "phase"}) == "Failed";
        co_return Outcome{failed ? "Failed" : "Pending", no, "VolumeNotReady",
                          message_of(volume, "Ready")};
    }
    if (const auto progress = image->text_at({"status", "progress"}); !progress.empty())
        status["progress"] = progress;
    const auto failed = image->text_at({"status", "phase"}) == "Failed";
    co_return Outcome{failed ? "Failed" : "ImportInProgress", no, "ImageNotReady",
                      message_of(*image, "Ready")};
}

}  // namespace sheaf::control

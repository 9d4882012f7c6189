#include "api/objects.h"

#include <algorithm>

#include <fmt/core.h>

#include "api/apply.h"
#include "api/patch.h"
#include "api/stored_object.h"

namespace sheaf::api {

namespace {

// Somebody else was faster; with as many in a row something is wrong.
constexpr int most_tries = 16;

Answer too_many_tries(const Place& place) {
    return conflict(place.subject(), "it is changed all the time; please try again");
}

std::string with_revision(const Kind& kind, const Json& object, kv::Revision revision) {
    kv::Record record;
    record.value = stored_text(object);
    return published_text(kind, record, revision).value();
}

std::optional<Answer> check_preconditions(const Place& place, const Json& object,
                                          const DeleteOptions& options) {
    const auto uid = object.text_at({"metadata", "uid"});
    const auto revision = object.text_at({"metadata", "resourceVersion"});
    if (!options.uid.empty() && options.uid != uid)
        return conflict(place.subject(),
                        fmt::format("Precondition failed: UID in precondition: {}, UID in object "
                                    "meta: {}",
                                    options.uid, uid));
    if (!options.revision.empty() && options.revision != revision)
        return conflict(place.subject(),
                        fmt::format("Precondition failed: resourceVersion in precondition: {}, in "
                                    "object meta: {}",
                                    options.revision, revision));
    return {};
}

// For who ends the object. One that has no finalizer has nobody who made anything for it.
void add_propagation(Json& object, Propagation propagation) {
    if (propagation == Propagation::background) return;
    const auto finalizer =
        propagation == Propagation::orphan ? orphan_finalizer : foreground_finalizer;
    auto& list = *object["metadata"]["finalizers"].array();
    if (std::ranges::find(list, Json{finalizer}) == list.end()) list.emplace_back(finalizer);
}

Result<Json> patched(const Json& before, const Patch& patch) {
    auto object = before;
    switch (patch.type) {
        case PatchType::json: TRY(apply_json_patch(object, patch.document)); break;
        case PatchType::strategic: TRY(check_strategic_patch(patch.document)); [[fallthrough]];
        case PatchType::apply:
        case PatchType::merge:
            if (!patch.document.object())
                return fail(sheaf::Kind::invalid, "a merge patch is an object");
            apply_merge_patch(object, patch.document);
    }
    return object;
}

// What a patch that cannot be applied is answered.
Answer refused_patch(const Place& place, const Error& error) {
    if (error.kind() == sheaf::Kind::unsupported)
        return failure(415, "UnsupportedMediaType", error.text(), place.subject());
    if (error.kind() == sheaf::Kind::conflict)
        return failure(422, "Invalid", error.text(), place.subject());
    return failure(error);
}

bool same_but_server(const Json& before, const Json& now) {
    auto kept = before;
    kept.erase("apiVersion");
    kept.erase("kind");
    kept["metadata"].erase("resourceVersion");
    return kept == now;
}

}  // namespace

std::string time_text(WallClock::TimePoint time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

// RFC 9562, version 4; and five letters that do not make words.
Birth Objects::birth() {
    constexpr std::string_view letters = "bcdfghjklmnpqrstvwxz2456789";
    const auto high = random_();
    const auto low = random_();
    Birth birth;
    birth.uid =
        fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                    high & 0xfff, 0x8000 | ((low >> 48) & 0x3fff), low & 0xffff'ffff'ffff);
    for (auto rest = random_(); birth.name_suffix.size() < 5; rest /= letters.size())
        birth.name_suffix += letters[rest % letters.size()];
    birth.time = time_text(clock_.now());
    return birth;
}

// Gives whether all conditions held.
io::Task<bool> Objects::write(kv::Transaction transaction, kv::Revision& revision) {
    const auto committed = co_await store_.commit(std::move(transaction)).result();
    if (!committed && committed.error().kind() == sheaf::Kind::conflict) co_return false;
    revision = co_await committed;
    co_return true;
}

// Objects are made in a namespace that is there and stays.
io::Task<Objects::Home> Objects::find_home(Place place) {
    Home home;
    if (!place.kind->namespaced()) co_return home;
    const Place where{&namespace_kind, {}, place.name_space, false};
    const auto key = key_of(namespace_kind, {}, place.name_space);
    const auto record = co_await store_.get(key);
    if (!record) {
        home.refusal = not_found(where.subject());
    } else if (is_terminating(co_await published_object(namespace_kind, *record))) {
        home.refusal = failure(403, "Forbidden",
                               fmt::format("unable to create new content in namespace {} because "
                                           "it is being terminated",
                                           place.name_space),
                               place.subject());
    } else {
        home.conditions.push_back({key, record->modified});
    }
    co_return home;
}

io::Task<Answer> Objects::create(Place place, Json body, WriteOptions options) {
    for (int tries = 0; tries < most_tries; ++tries) {
        bool again = false;
        auto answer = co_await try_create(place, body, options, again).result();
        if (!answer) co_return failure(answer.error());
        if (!again) co_return *std::move(answer);
    }
    co_return too_many_tries(place);
}

io::Task<Answer> Objects::try_create(Place place, Json body, WriteOptions options, bool& again) {
    auto home = co_await find_home(place);
    if (home.refusal) co_return *std::move(home.refusal);
    Answer answer{.status = 201, .body = {}, .warnings = {}};
    const auto named = !body.text_at({"metadata", "name"}).empty();
    const auto admitted = admit_new(place, std::move(body), options, birth(), answer.warnings);
    if (!admitted) co_return admitted.error();
    place.name = admitted->text_at({"metadata", "name"});
    const auto key = key_of(*place.kind, place.name_space, place.name);
    const auto there = co_await store_.get(key);
    if (there && named)
        co_return failure(
            409, "AlreadyExists",
            fmt::format("{} \"{}\" already exists", place.kind->resource(), place.name),
            place.subject());
    kv::Transaction transaction{std::move(home.conditions), {}};
    transaction.conditions.push_back({key, 0});
    transaction.writes.push_back({key, stored_text(*admitted)});
    kv::Revision revision = 0;
    if (!options.dry_run) again = !co_await write(std::move(transaction), revision);
    answer.body = with_revision(*place.kind, *admitted, revision);
    co_return answer;
}

io::Task<Answer> Objects::replace(Place place, Json body, WriteOptions options) {
    co_return co_await change(std::move(place), std::move(body), {}, options);
}

io::Task<Answer> Objects::patch(Place place, Patch patch, WriteOptions options) {
    co_return co_await change(std::move(place), {}, std::move(patch), options);
}

// What a patch makes of an object, and, of an apply, who describes what.
std::expected<Json, Answer> Objects::changed(const Place& place, const Json& before,
                                             const Patch& patch, WriteOptions& options) const {
    if (patch.type != PatchType::apply) {
        auto object = patched(before, patch);
        if (!object) return std::unexpected{refused_patch(place, object.error())};
        return *std::move(object);
    }
    auto applied = apply(place, &before,
                         {patch.manager, patch.force, patch.document, time_text(clock_.now())});
    if (!applied) return std::unexpected{std::move(applied).error()};
    options.managed = std::move(applied->managed);
    // What a client says of the object itself has to fit, as in an update.
    for (const auto* name : {"name", "namespace", "uid", "resourceVersion"})
        if (const auto* given = patch.document.at({"metadata", name}))
            applied->object["metadata"][name] = *given;
    for (const auto* name : {"apiVersion", "kind"})
        if (const auto* given = patch.document.find(name)) applied->object[name] = *given;
    return std::move(applied->object);
}

// What is applied and not there is made; again, where somebody makes it meanwhile.
io::Task<Answer> Objects::create_applied(Place place, Patch patch, WriteOptions options,
                                         bool& again) {
    const Application application{patch.manager, patch.force, std::move(patch.document),
                                  time_text(clock_.now())};
    auto applied = apply(place, nullptr, application);
    if (!applied) co_return std::move(applied).error();
    options.managed = std::move(applied->managed);
    auto answer = co_await create(std::move(place), std::move(applied->object), options);
    again = answer.status == 409;
    co_return answer;
}

io::Task<Answer> Objects::change(Place place, std::optional<Json> body, std::optional<Patch> patch,
                                 WriteOptions options) {
    const auto key = key_of(*place.kind, place.name_space, place.name);
    for (int tries = 0; tries < most_tries; ++tries) {
        const auto record = co_await store_.get(key).result();
        if (!record) co_return failure(record.error());
        bool again = false;
        if (!*record && patch && patch->type == PatchType::apply) {
            auto made = co_await create_applied(place, *patch, options, again);
            if (!again) co_return made;
            continue;
        }
        if (!*record) co_return not_found(place.subject());
        auto before = co_await published_object(*place.kind, **record);
        auto after =
            patch ? changed(place, before, *patch, options) : std::expected<Json, Answer>{*body};
        if (!after) co_return std::move(after).error();
        auto answer = co_await try_change(place, **record, std::move(before), *std::move(after),
                                          options, again)
                          .result();
        if (!answer) co_return failure(answer.error());
        if (!again) co_return *std::move(answer);
    }
    co_return too_many_tries(place);
}

io::Task<Answer> Objects::try_change(Place place, const kv::Record& record, Json before, Json body,
                                     WriteOptions options, bool& again) {
    Answer answer;
    const auto admitted = admit_change(place, before, std::move(body), options, answer.warnings);
    if (!admitted) co_return admitted.error();
    auto revision = record.modified;
    if (!same_but_server(before, *admitted) && !options.dry_run) {
        const auto ends = is_terminating(*admitted) && !has_finalizers(*admitted) &&
                          place.kind != &namespace_kind;
        kv::Transaction transaction{{{record.key, record.modified}}, {}};
        kv::Write put{record.key, std::nullopt};
        if (!ends) put.value = stored_text(*admitted);
        transaction.writes.push_back(std::move(put));
        again = !co_await write(std::move(transaction), revision);
        if (ends || place.kind == &namespace_kind) namespaces_stirred_.set();
    }
    answer.body = with_revision(*place.kind, *admitted, revision);
    co_return answer;
}

io::Task<Answer> Objects::remove(Place place, DeleteOptions options) {
    const auto key = key_of(*place.kind, place.name_space, place.name);
    for (int tries = 0; tries < most_tries; ++tries) {
        const auto record = co_await store_.get(key).result();
        if (!record) co_return failure(record.error());
        if (!*record) co_return not_found(place.subject());
        auto object = co_await published_object(*place.kind, **record);
        if (auto refusal = check_preconditions(place, object, options))
            co_return *std::move(refusal);
        bool again = false;
        const auto waits = place.kind == &namespace_kind || has_finalizers(object);
        auto work = waits ? begin_end(place, **record, object, options, again)
                          : end(place, **record, object, options, again);
        auto answer = co_await std::move(work).result();
        if (!answer) co_return failure(answer.error());
        if (!again) co_return *std::move(answer);
    }
    co_return too_many_tries(place);
}

// It stays until nobody holds it up: its finalizers, or what is in a namespace.
io::Task<Answer> Objects::begin_end(Place place, const kv::Record& record, Json object,
                                    DeleteOptions options, bool& again) {
    Answer answer;
    auto revision = record.modified;
    if (place.kind == &namespace_kind && place.name == "default")
        co_return failure(403, "Forbidden", "this namespace may not be deleted", place.subject());
    if (!is_terminating(object)) {
        object = terminating(std::move(object), time_text(clock_.now()));
        if (place.kind->has_dependents) add_propagation(object, options.propagation);
        if (place.kind == &namespace_kind) object["status"]["phase"] = "Terminating";
        kv::Transaction transaction{{{record.key, record.modified}}, {}};
        transaction.writes.push_back({record.key, stored_text(object)});
        if (!options.dry_run) again = !co_await write(std::move(transaction), revision);
        namespaces_stirred_.set();
    }
    answer.body = with_revision(*place.kind, object, revision);
    co_return answer;
}

io::Task<Answer> Objects::end(Place place, const kv::Record& record, const Json& object,
                              DeleteOptions options, bool& again) {
    kv::Transaction transaction{{{record.key, record.modified}}, {}};
    transaction.writes.push_back({record.key, std::nullopt});
    kv::Revision revision = 0;
    if (!options.dry_run) again = !co_await write(std::move(transaction), revision);
    namespaces_stirred_.set();
    auto document = status_document(200, {}, {}, place.subject());
    document["details"]["uid"] = object.text_at({"metadata", "uid"});
    Answer answer;
    answer.body = document.text();
    co_return answer;
}

io::Task<void> Objects::ensure_namespace(std::string name) {
    const Place place{&namespace_kind, {}, {}, false};
    auto metadata = Json::object({{"name", name}});
    auto body = Json::object({{"metadata", std::move(metadata)}});
    const auto answer = co_await create(place, std::move(body), {});
    if (!answer.ok() && answer.status != 409)
        co_await fail(sheaf::Kind::unavailable, "namespace {}: {}", name, answer.body);
}

}  // namespace sheaf::api

#include "control/object_client.h"

#include <algorithm>

#include "api/stored_object.h"

namespace sheaf::control {

namespace {

Kind kind_of(unsigned status, std::string_view reason) {
    switch (status) {
        case 404: return Kind::not_found;
        case 409: return reason == "AlreadyExists" ? Kind::exists : Kind::conflict;
        case 403: return Kind::denied;
        case 413: return Kind::exhausted;
        case 503: return Kind::unavailable;
        case 504: return Kind::timed_out;
        default: return status >= 500 ? Kind::io : Kind::invalid;
    }
}

// The object that was answered, or what was wrong.
Result<Json> object_of(const api::Answer& answer) {
    auto document = TRY(Json::parse(answer.body));
    if (answer.ok()) return document;
    return fail(kind_of(answer.status, document.text_at({"reason"})), "{}",
                document.text_at({"message"}));
}

// The same of a write to an object that was read: one that is gone has changed, too.
Result<Json> rewritten(const api::Answer& answer) {
    auto object = object_of(answer);
    if (object || object.error().kind() != Kind::not_found) return object;
    return fail(Kind::conflict, "{}", object.error().text());
}

// What is stored was let in once; a field that was taken away since is no reason to stand still.
constexpr api::WriteOptions lenient{.dry_run = false, .validation = api::FieldValidation::ignore};

}  // namespace

io::Task<std::optional<Json>> ObjectClient::get(const api::Kind& kind, ObjectKey key) {
    const auto record = co_await store().get(api::key_of(kind, key.name_space, key.name));
    if (!record) co_return std::nullopt;
    co_return co_await api::published_object(kind, *record);
}

io::Task<std::vector<Json>> ObjectClient::list(const api::Kind& kind, std::string name_space) {
    std::vector<Json> found;
    kv::ListRequest request{.prefix = api::prefix_of(kind, name_space), .after = {}, .at = 0};
    while (true) {
        const auto page = co_await store().list(request);
        for (const auto& record : page.records)
            found.push_back(co_await api::published_object(kind, record));
        if (!page.more) co_return found;
        request.after = page.records.back().key;
        request.at = page.revision;
    }
}

io::Task<std::vector<ObjectKey>> ObjectClient::keys(const api::Kind& kind) {
    std::vector<ObjectKey> found;
    kv::ListRequest request{.prefix = api::prefix_of(kind), .after = {}, .at = 0};
    while (true) {
        const auto page = co_await store().list(request);
        for (const auto& record : page.records)
            if (auto parsed = parse_record_key(record.key)) found.push_back(std::move(parsed->key));
        if (!page.more) co_return found;
        request.after = page.records.back().key;
        request.at = page.revision;
    }
}

io::Task<void> ObjectClient::set_status(const api::Kind& kind, Json& object, Json status) {
    const auto* before = object.find("status");
    if (before && *before == status) co_return;
    auto wanted = object;
    wanted["status"] = std::move(status);
    auto place = key_of(object).place(kind);
    place.status = kind.has_status();
    const auto answer = co_await objects_.replace(std::move(place), std::move(wanted), lenient);
    object = co_await rewritten(answer);
}

io::Task<void> ObjectClient::replace(const api::Kind& kind, Json& object) {
    const auto answer = co_await objects_.replace(key_of(object).place(kind), object, lenient);
    object = co_await rewritten(answer);
}

io::Task<void> ObjectClient::add_finalizer(const api::Kind& kind, Json& object,
                                           std::string finalizer) {
    if (has_finalizer(object, finalizer)) co_return;
    auto& list = object["metadata"]["finalizers"];
    if (!list.array()) list = Json::Array{};
    list.array()->push_back(std::move(finalizer));
    co_await replace(kind, object);
}

io::Task<void> ObjectClient::remove_finalizer(const api::Kind& kind, Json& object,
                                              std::string finalizer) {
    if (!has_finalizer(object, finalizer)) co_return;
    auto& list = *object["metadata"]["finalizers"].array();
    std::erase_if(list, [&](const Json& one) { return one == Json{finalizer}; });
    if (list.empty()) object["metadata"].erase("finalizers");
    co_await replace(kind, object);
}

io::Task<Json> ObjectClient::create(const api::Kind& kind, Json object) {
    auto place = key_of(object).place(kind);
    place.name.clear();
    const auto answer = co_await objects_.create(std::move(place), std::move(object), {});
    co_return co_await object_of(answer);
}

io::Task<void> ObjectClient::remove(const api::Kind& kind, ObjectKey key, std::string uid) {
    api::DeleteOptions options;
    options.uid = std::move(uid);
    const auto answer = co_await objects_.remove(key.place(kind), std::move(options));
    const auto removed = object_of(answer);
    if (!removed && removed.error().kind() != Kind::not_found) co_await removed;
}

bool has_finalizer(const Json& object, std::string_view finalizer) {
    const auto* list = object.at({"metadata", "finalizers"});
    return list && list->array() && std::ranges::any_of(*list->array(), [&](const Json& one) {
               return one.string() && *one.string() == finalizer;
           });
}

}  // namespace sheaf::control

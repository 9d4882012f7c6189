#include "api/apply.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/json_path.h"

namespace sheaf::api {

namespace {

// As Kubernetes writes a set of fields (FieldsV1): a member "f:NAME" for each, below it what is in
// it. Lists are one field.
constexpr std::string_view mark = "f:";

std::string marked(std::string_view name) {
    return std::string{mark} + std::string{name};
}

std::string_view unmarked(std::string_view name) {
    return name.starts_with(mark) ? name.substr(mark.size()) : name;
}

bool has_members(const Json* value) {
    return value && value->object() && !value->object()->empty();
}

Json fields_of(const Json& value) {
    auto fields = Json::object({});
    if (!value.object()) return fields;
    for (const auto& member : *value.object())
        fields[marked(member.name)] = fields_of(member.value);
    return fields;
}

void drop_nulls(Json& value) {
    if (!value.object()) return;
    std::erase_if(*value.object(), [](const auto& member) { return member.value.is_null(); });
    for (auto& member : *value.object()) drop_nulls(member.value);
}

// What can be described: not whose the object is, nor what the server says of it.
Json describable(Json configuration) {
    for (const auto* name : {"apiVersion", "kind", "status"}) configuration.erase(name);
    auto metadata = Json::object({});
    for (const auto* name : {"labels", "annotations", "finalizers", "ownerReferences"})
        if (const auto* value = configuration.at({"metadata", name})) metadata[name] = *value;
    configuration.erase("metadata");
    if (has_members(&metadata)) configuration["metadata"] = std::move(metadata);
    return configuration;
}

void find_conflicts(const Json& wanted, const Json& live, const Json* owned,
                    const std::string& path, std::vector<std::string>& conflicts) {
    for (const auto& [name, value] : *wanted.object()) {
        const auto* there = live.find(name);
        const auto* own = owned ? owned->find(marked(name)) : nullptr;
        if (!there || *there == value) continue;
        const auto place = fmt::format("{}.{}", path, name);
        if (value.object() && there->object()) {
            find_conflicts(value, *there, own, place, conflicts);
        } else if (!own) {
            conflicts.push_back(place);
        }
    }
}

void merge(Json& into, const Json& wanted) {
    for (const auto& [name, value] : *wanted.object()) {
        auto& place = into[name];
        if (value.object() && place.object()) {
            merge(place, value);
        } else {
            place = value;
        }
    }
}

using Sets = std::vector<const Json*>;

Sets below(const Sets& sets, std::string_view name) {
    Sets found;
    for (const auto* set : sets)
        if (const auto* part = set->find(name)) found.push_back(part);
    return found;
}

// What was described and is no longer, by anybody.
void remove(Json& object, const Json& owned, const Sets& kept) {
    for (const auto& [name, part] : *owned.object()) {
        const auto plain = unmarked(name);
        auto* value = object.find(plain);
        if (!value) continue;
        const auto others = below(kept, name);
        if (has_members(&part) && value->object()) {
            remove(*value, part, others);
            if (others.empty() && value->object()->empty()) object.erase(plain);
        } else if (others.empty()) {
            object.erase(plain);
        }
    }
}

// A set without the fields whose value has changed.
void disown(Json& fields, const Json* before, const Json* after) {
    std::vector<std::string> gone;
    for (auto& [name, part] : *fields.object()) {
        const auto* was = before ? before->find(unmarked(name)) : nullptr;
        const auto* is = after ? after->find(unmarked(name)) : nullptr;
        if (was && is && *was == *is) continue;
        if (has_members(&part)) {
            disown(part, was, is);
            if (has_members(&part)) continue;
        }
        gone.push_back(name);
    }
    for (const auto& name : gone) fields.erase(name);
}

const Json* fields_in(const Json& entry) {
    const auto* fields = entry.find("fieldsV1");
    return fields && fields->object() ? fields : nullptr;
}

Answer conflict_of(const Place& place, const std::string& manager,
                   const std::vector<std::string>& fields) {
    Causes causes;
    std::string list;
    for (const auto& field : fields) {
        causes.push_back({Reason::invalid, field, "conflict with another client"});
        list += (list.empty() ? "" : ", ") + field;
    }
    return failure(409, "Conflict",
                   fmt::format("Apply failed with {} conflict{}: {} {} another value, which is not "
                               "of {}; apply with force to take it over",
                               fields.size(), fields.size() == 1 ? "" : "s", list,
                               fields.size() == 1 ? "has" : "have", json::in_quotes(manager)),
                   place.subject(), causes);
}

// Who described which part of the object; one entry a manager.
Json::Array entries_of(const Json* before) {
    const auto* managed = before ? before->at({"metadata", "managedFields"}) : nullptr;
    return managed && managed->array() ? *managed->array() : Json::Array{};
}

Json entry_of(const Place& place, const Application& application, Json fields) {
    return Json::object({{"manager", application.manager},
                         {"operation", "Apply"},
                         {"apiVersion", place.kind->api_version()},
                         {"time", application.time},
                         {"fieldsType", "FieldsV1"},
                         {"fieldsV1", std::move(fields)}});
}

}  // namespace

std::expected<Applied, Answer> apply(const Place& place, const Json* before,
                                     const Application& application) {
    auto wanted = application.configuration;
    drop_nulls(wanted);
    wanted = describable(std::move(wanted));
    auto fields = fields_of(wanted);
    auto entries = entries_of(before);
    const auto own = std::ranges::find_if(entries, [&](const Json& entry) {
        return entry.text_at({"manager"}) == application.manager;
    });
    const auto* owned = own == entries.end() ? nullptr : fields_in(*own);
    Applied applied{before ? *before : application.configuration, {}};
    if (before) {
        std::vector<std::string> conflicts;
        find_conflicts(wanted, *before, owned, {}, conflicts);
        if (!conflicts.empty() && !application.force)
            return std::unexpected{conflict_of(place, application.manager, conflicts)};
        Sets kept{&fields};
        for (const auto& entry : entries)
            if (const auto* others = fields_in(entry); others && others != owned)
                kept.push_back(others);
        if (owned) remove(applied.object, *owned, kept);
        merge(applied.object, wanted);
    }
    Json::Array managed;
    bool is_there = false;
    for (auto& entry : entries) {
        if (entry.text_at({"manager"}) == application.manager) {
            is_there = true;
            // The time is that of the last change of the set.
            const auto same = fields_in(entry) && *fields_in(entry) == fields;
            managed.push_back(same ? entry : entry_of(place, application, fields));
            continue;
        }
        auto* others = entry.find("fieldsV1");
        if (others && others->object()) disown(*others, before, &applied.object);
        if (has_members(others)) managed.push_back(std::move(entry));
    }
    if (!is_there) managed.push_back(entry_of(place, application, std::move(fields)));
    applied.managed = std::move(managed);
    return applied;
}

Json disowned(Json managed, const Json& before, const Json& after) {
    if (!managed.array()) return managed;
    for (auto& entry : *managed.array())
        if (auto* fields = entry.find("fieldsV1"); fields && fields->object())
            disown(*fields, &before, &after);
    std::erase_if(*managed.array(),
                  [](const Json& entry) { return !has_members(entry.find("fieldsV1")); });
    return managed;
}

}  // namespace sheaf::api

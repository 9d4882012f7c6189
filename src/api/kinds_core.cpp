// The kinds of the core group that a virtual machine needs around it: as in Kubernetes, no field
// more.

#include <array>

#include "api/kinds.h"
#include "api/names.h"
#include "base/base64.h"
#include "base/json_path.h"

namespace sheaf::api {

namespace {

using Words = std::string_view;

// Namespace.

constexpr auto namespace_short = std::to_array<Words>({"ns"});
constexpr auto namespace_spec = std::to_array<Field>({
    {.name = "finalizers", .description = "who empties it", .count = Count::list},
});
constexpr auto namespace_fields = std::to_array<Field>({
    {.name = "spec", .type = Type::object, .description = "", .fields = namespace_spec},
    {.name = "status", .type = Type::anything, .description = "phase: Active or Terminating"},
});
constexpr auto namespace_columns = std::to_array<Column>({
    {"Status", "status.phase", "Active, or Terminating while what is in it is deleted"},
});

void prepare_namespace(Json& object) {
    if (object.at({"status", "phase"})) return;
    object["status"] = Json::object({{"phase", "Active"}});
    object["spec"] = Json::object({{"finalizers", Json::Array{"kubernetes"}}});
}

// Secret.

constexpr auto secret_fields = std::to_array<Field>({
    {.name = "type", .description = "for whoever reads it; Opaque where nothing is said"},
    {.name = "data", .type = Type::texts, .description = "values as base64"},
    {.name = "stringData", .type = Type::texts, .description = "values as text; written only"},
    {.name = "immutable", .type = Type::boolean, .description = "whether data stays as it is"},
});
constexpr auto secret_columns = std::to_array<Column>({
    {"Type", "type", "for whoever reads it"},
});

void prepare_secret(Json& object) {
    if (!object.find("type")) object["type"] = "Opaque";
    const auto* texts = object.find("stringData");
    if (!texts || !texts->object()) return;
    auto encoded = Json::object({});
    for (const auto& [name, value] : *texts->object()) {
        if (!value.string()) return;  // for the check to refuse
        encoded[name] = to_base64(*value.string());
    }
    object.erase("stringData");
    for (auto& member : *encoded.object()) object["data"][member.name] = std::move(member.value);
}

void check_secret(const Json& object, const Json* before, Causes& causes) {
    const auto* data = object.find("data");
    if (data && data->object())
        for (const auto& [name, value] : *data->object()) {
            if (name.empty() ||
                (!is_label_value(name) && !name.starts_with('.') && !name.starts_with('_')))
                causes.push_back({Reason::invalid, "data",
                                  "Invalid value: " + json::in_quotes(name) +
                                      ": a key is of letters, digits, '-', '_' and '.'"});
            if (value.string() && !from_base64(*value.string()))
                causes.push_back({Reason::invalid, "data[" + name.substr(0, 100) + "]",
                                  "Invalid value: is no base64"});
        }
    if (!before) return;
    if (before->text_at({"type"}) != object.text_at({"type"}))
        causes.push_back({Reason::invalid, "type", "Invalid value: field is immutable"});
    const auto* immutable = before->find("immutable");
    if (!immutable || !immutable->boolean() || !*immutable->boolean()) return;
    const auto* was = before->find("data");
    if (was ? !data || *data != *was : data != nullptr)
        causes.push_back(
            {Reason::forbidden, "data", "Forbidden: field is immutable when `immutable` is set"});
}

// Event.

constexpr auto reference_fields = std::to_array<Field>({
    {.name = "apiVersion", .description = ""},
    {.name = "kind", .description = ""},
    {.name = "namespace", .description = ""},
    {.name = "name", .description = ""},
    {.name = "uid", .description = ""},
    {.name = "resourceVersion", .description = ""},
    {.name = "fieldPath", .description = ""},
});
constexpr auto source_fields = std::to_array<Field>({
    {.name = "component", .description = "that saw it"},
    {.name = "host", .description = "where"},
});
constexpr auto series_fields = std::to_array<Field>({
    {.name = "count", .type = Type::integer, .description = ""},
    {.name = "lastObservedTime", .type = Type::time, .description = ""},
});
constexpr auto event_types = std::to_array<Words>({"Normal", "Warning"});
constexpr auto event_fields = std::to_array<Field>({
    {.name = "involvedObject",
     .type = Type::object,
     .description = "what it happened to",
     .fields = reference_fields,
     .need = Need::required},
    {.name = "reason", .description = "one word, for machines"},
    {.name = "message", .description = "a sentence, for people"},
    {.name = "type", .description = "Normal or Warning", .choices = event_types},
    {.name = "count", .type = Type::integer, .description = "how often it was seen"},
    {.name = "source", .type = Type::object, .description = "", .fields = source_fields},
    {.name = "firstTimestamp", .type = Type::time, .description = "when it was seen first"},
    {.name = "lastTimestamp", .type = Type::time, .description = "when it was seen last"},
    {.name = "eventTime", .type = Type::time, .description = ""},
    {.name = "action", .description = ""},
    {.name = "reportingComponent", .description = ""},
    {.name = "reportingInstance", .description = ""},
    {.name = "series", .type = Type::object, .description = "", .fields = series_fields},
    {.name = "related", .type = Type::object, .description = "", .fields = reference_fields},
});
constexpr auto event_columns = std::to_array<Column>({
    {"Last Seen", "lastTimestamp", "when it was seen last"},
    {"Type", "type", "Normal or Warning"},
    {"Reason", "reason", "one word, for machines"},
    {"Object", "involvedObject.name", "what it happened to"},
    {"Message", "message", "a sentence, for people"},
});
constexpr auto event_short = std::to_array<Words>({"ev"});
constexpr auto event_selectable = std::to_array<Words>(
    {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
     "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
     "reason", "reportingComponent", "type"});

}  // namespace

constinit const Kind namespace_kind = {
    .group = "",
    .version = "v1",
    .name = "Namespace",
    .plural = "namespaces",
    .singular = "namespace",
    .short_names = namespace_short,
    .scope = Scope::cluster,
    .status = StatusBy::subresource,
    .description = "A place for objects, whose names are unique in it. Deleting it deletes them.",
    .fields = namespace_fields,
    .columns = namespace_columns,
    .prepare = prepare_namespace,
};

constinit const Kind secret_kind = {
    .group = "",
    .version = "v1",
    .name = "Secret",
    .plural = "secrets",
    .singular = "secret",
    .short_names = {},
    .description = "Values that are not for everybody.",
    .fields = secret_fields,
    .columns = secret_columns,
    .prepare = prepare_secret,
    .check = check_secret,
};

constinit const Kind event_kind = {
    .group = "",
    .version = "v1",
    .name = "Event",
    .plural = "events",
    .singular = "event",
    .short_names = event_short,
    .description = "Something that happened to an object, for people to see.",
    .fields = event_fields,
    .columns = event_columns,
    .selectable = event_selectable,
};

}  // namespace sheaf::api

#include "api/openapi.h"

#include <fmt/core.h>

#include "api/kind.h"
#include "api/schema_check.h"

namespace sheaf::api {

namespace {

enum class Version { two, three };

constexpr std::string_view metadata_name = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

// "io.kubevirt.v1.VirtualMachine": the group turned around.
std::string definition_name(const Kind& kind) {
    if (kind.group.empty()) return fmt::format("io.k8s.api.core.{}.{}", kind.version, kind.name);
    std::string turned;
    for (auto rest = kind.group; !rest.empty();) {
        const auto point = std::min(rest.find('.'), rest.size());
        if (!turned.empty()) turned.insert(0, ".");
        turned.insert(0, rest.substr(0, point));
        rest.remove_prefix(std::min(point + 1, rest.size()));
    }
    return fmt::format("{}.{}.{}", turned, kind.version, kind.name);
}

Json reference(Version version, std::string_view name) {
    const auto* place = version == Version::two ? "#/definitions/" : "#/components/schemas/";
    return Json::object({{"$ref", place + std::string{name}}});
}

Json schema_of(std::span<const Field> fields, std::string_view description);

Json schema_of_one(const Field& field) {
    switch (field.type) {
        case Type::object: return schema_of(field.fields, field.description);
        case Type::anything:
            return Json::object({{"description", field.description}, {"type", "object"}});
        case Type::texts:
            return Json::object({{"description", field.description},
                                 {"type", "object"},
                                 {"additionalProperties", Json::object({{"type", "string"}})}});
        case Type::integer:
            return Json::object(
                {{"description", field.description}, {"type", "integer"}, {"format", "int64"}});
        case Type::boolean:
            return Json::object({{"description", field.description}, {"type", "boolean"}});
        case Type::time:
            return Json::object(
                {{"description", field.description}, {"type", "string"}, {"format", "date-time"}});
        case Type::quantity:
        case Type::text: break;
    }
    auto schema = Json::object({{"description", field.description}, {"type", "string"}});
    if (field.choices.empty()) return schema;
    Json::Array choices;
    for (const auto choice : field.choices) choices.push_back(choice);
    schema["enum"] = std::move(choices);
    return schema;
}

Json schema_of(const Field& field) {
    auto schema = schema_of_one(field);
    if (field.count == Count::one) return schema;
    return Json::object(
        {{"description", field.description}, {"type", "array"}, {"items", std::move(schema)}});
}

Json schema_of(std::span<const Field> fields, std::string_view description) {
    auto schema = Json::object({{"description", description}, {"type", "object"}});
    Json::Array required;
    auto properties = Json::object({});
    for (const auto& field : fields) {
        properties[field.name] = schema_of(field);
        if (field.need == Need::required) required.push_back(field.name);
    }
    if (!required.empty()) schema["required"] = std::move(required);
    if (!fields.empty()) schema["properties"] = std::move(properties);
    return schema;
}

Json type_of(const Kind& kind) {
    return Json::object({{"group", kind.group}, {"kind", kind.name}, {"version", kind.version}});
}

Json definition_of(const Kind& kind, Version version) {
    auto schema = schema_of(kind.fields, kind.description);
    auto properties = Json::object(
        {{"apiVersion", Json::object({{"description", "of what this is"}, {"type", "string"}})},
         {"kind", Json::object({{"description", "what this is"}, {"type", "string"}})},
         {"metadata", reference(version, metadata_name)}});
    for (auto& member : *schema.find("properties")->object())
        properties[member.name] = std::move(member.value);
    schema["properties"] = std::move(properties);
    schema["x-kubernetes-group-version-kind"] = Json::Array{type_of(kind)};
    return schema;
}

Json parameter(Version version, std::string_view name, std::string_view in) {
    auto schema = Json::object({{"name", name}, {"in", in}});
    if (in == "path") schema["required"] = true;
    if (version == Version::two) {
        schema["type"] = "string";
    } else {
        schema["schema"] = Json::object({{"type", "string"}});
    }
    return schema;
}

struct Operation {
    std::string_view method;
    std::string_view action;
    bool writes = false;  // takes an object
};

Json parameters_of(const Operation& operation, Version version, const Kind& kind) {
    Json::Array parameters;
    const auto reads = operation.method == "get";
    for (const auto* name : {"dryRun", "fieldManager", "fieldValidation"})
        if (operation.writes || (!reads && std::string_view{name} == "dryRun"))
            parameters.push_back(parameter(version, name, "query"));
    if (operation.action == "list")
        for (const auto* name : {"labelSelector", "fieldSelector", "limit", "continue",
                                 "resourceVersion", "watch", "timeoutSeconds"})
            parameters.push_back(parameter(version, name, "query"));
    if (operation.writes && version == Version::two)
        parameters.push_back(Json::object({{"name", "body"},
                                           {"in", "body"},
                                           {"required", true},
                                           {"schema", reference(version, definition_name(kind))}}));
    return parameters;
}

Json document_of(Version version, const Kind& kind) {
    auto schema = reference(version, definition_name(kind));
    if (version == Version::two) return schema;
    auto media = Json::object({{"schema", std::move(schema)}});
    return Json::object({{"application/json", std::move(media)}});
}

Json operation_of(const Operation& operation, Version version, const Kind& kind) {
    auto answer = Json::object({{"description", "OK"}});
    if (operation.action != "list")
        answer[version == Version::two ? "schema" : "content"] = document_of(version, kind);
    auto description =
        Json::object({{"operationId", fmt::format("{}-{}", operation.action, kind.resource())},
                      {"parameters", parameters_of(operation, version, kind)},
                      {"responses", Json::object({{"200", std::move(answer)}})},
                      {"x-kubernetes-action", operation.action},
                      {"x-kubernetes-group-version-kind", type_of(kind)}});
    if (version == Version::two) {
        description["produces"] = Json::Array{"application/json"};
    } else if (operation.writes) {
        description["requestBody"] = Json::object({{"content", document_of(version, kind)}});
    }
    return description;
}

Json parameters_of_path(const Kind& kind, Version version, bool names_one) {
    Json::Array parameters;
    if (kind.namespaced()) parameters.push_back(parameter(version, "namespace", "path"));
    if (names_one) parameters.push_back(parameter(version, "name", "path"));
    return parameters;
}

void add_paths(const Kind& kind, Version version, Json& paths) {
    const auto root = (kind.group.empty() ? "/api/" : "/apis/") + kind.api_version();
    const auto collection = fmt::format(
        "{}/{}{}", root, kind.namespaced() ? "namespaces/{namespace}/" : "", kind.plural);
    auto all = Json::object({{"parameters", parameters_of_path(kind, version, false)}});
    for (const auto& operation : {Operation{"get", "list"}, {"post", "post", true}})
        all[operation.method] = operation_of(operation, version, kind);
    auto one = Json::object({{"parameters", parameters_of_path(kind, version, true)}});
    for (const auto& operation : {Operation{"get", "get"},
                                  {"put", "put", true},
                                  {"patch", "patch", true},
                                  {"delete", "delete"}})
        one[operation.method] = operation_of(operation, version, kind);
    paths[collection] = std::move(all);
    paths[collection + "/{name}"] = std::move(one);
}

Json info() {
    return Json::object({{"title", "Sheaf"}, {"version", SHEAF_VERSION}});
}

}  // namespace

Json openapi_v2() {
    auto paths = Json::object({});
    auto definitions = Json::object({});
    definitions[metadata_name] = schema_of(metadata_fields(), "what all objects have");
    for (const auto* kind : all_kinds()) {
        add_paths(*kind, Version::two, paths);
        definitions[definition_name(*kind)] = definition_of(*kind, Version::two);
    }
    return Json::object({{"swagger", "2.0"},
                         {"info", info()},
                         {"paths", std::move(paths)},
                         {"definitions", std::move(definitions)}});
}

Json openapi_v3_index() {
    auto paths = Json::object({});
    for (const auto* kind : all_kinds()) {
        const auto path = (kind->group.empty() ? "api/" : "apis/") + kind->api_version();
        paths[path] =
            Json::object({{"serverRelativeURL", "/openapi/v3/" + path + "?hash=" SHEAF_VERSION}});
    }
    return Json::object({{"paths", std::move(paths)}});
}

std::optional<Json> openapi_v3(std::span<const std::string> group_version) {
    const auto core = group_version.size() == 2 && group_version[0] == "api";
    if (!core && (group_version.size() != 3 || group_version[0] != "apis")) return {};
    auto paths = Json::object({});
    auto schemas = Json::object({});
    for (const auto* kind : all_kinds()) {
        if (kind->group != (core ? "" : group_version[1])) continue;
        if (kind->version != group_version.back()) continue;
        add_paths(*kind, Version::three, paths);
        schemas[definition_name(*kind)] = definition_of(*kind, Version::three);
    }
    if (schemas.object()->empty()) return {};
    schemas[metadata_name] = schema_of(metadata_fields(), "what all objects have");
    return Json::object({{"openapi", "3.0.0"},
                         {"info", info()},
                         {"paths", std::move(paths)},
                         {"components", Json::object({{"schemas", std::move(schemas)}})}});
}

}  // namespace sheaf::api

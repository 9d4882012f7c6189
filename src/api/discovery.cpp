#include "api/discovery.h"

#include "api/kinds.h"
#include "api/machine_verbs.h"

namespace sheaf::api {

namespace {

Json words(std::span<const std::string_view> list) {
    Json::Array elements;
    for (const auto word : list) elements.push_back(word);
    return elements;
}

Json resource_of(const Kind& kind) {
    auto resource = Json::object({{"name", kind.plural},
                                  {"singularName", kind.singular},
                                  {"namespaced", kind.namespaced()},
                                  {"kind", kind.name}});
    resource["verbs"] = Json::Array{"create", "delete", "deletecollection", "get",
                                    "list",   "patch",  "update",           "watch"};
    if (!kind.short_names.empty()) resource["shortNames"] = words(kind.short_names);
    return resource;
}

Json status_of(const Kind& kind) {
    auto resource = Json::object({{"name", std::string{kind.plural} + "/status"},
                                  {"singularName", ""},
                                  {"namespaced", kind.namespaced()},
                                  {"kind", kind.name}});
    resource["verbs"] = Json::Array{"get", "patch", "update"};
    return resource;
}

// Verbs of machines are resources below theirs, as KubeVirt has them.
void add_verbs(Json::Array& resources, const Kind& kind, std::span<const std::string_view> verbs) {
    for (const auto verb : verbs)
        resources.push_back(
            Json::object({{"name", fmt::format("{}/{}", kind.plural, verb)},
                          {"singularName", ""},
                          {"namespaced", true},
                          {"kind", kind.name},
                          {"verbs", Json::Array{is_shown(verb) ? "get" : "update"}}}));
}

Json resource_list(std::string_view group_version, Json::Array resources) {
    return Json::object({{"kind", "APIResourceList"},
                         {"apiVersion", "v1"},
                         {"groupVersion", group_version},
                         {"resources", std::move(resources)}});
}

std::string verbs_version() {
    return fmt::format("{}/{}", subresources_group, subresources_version);
}

Json verbs() {
    Json::Array resources;
    add_verbs(resources, virtual_machine_instance_kind, verbs_of_instances);
    add_verbs(resources, virtual_machine_kind, verbs_of_machines);
    return resource_list(verbs_version(), std::move(resources));
}

std::optional<Json> resources_of(std::string_view group, std::string_view version) {
    Json::Array resources;
    std::string group_version;
    for (const auto* kind : all_kinds()) {
        if (kind->group != group || kind->version != version) continue;
        group_version = kind->api_version();
        resources.push_back(resource_of(*kind));
        if (kind->has_status()) resources.push_back(status_of(*kind));
    }
    if (resources.empty()) return {};
    return resource_list(group_version, std::move(resources));
}

// Every group has one version.
Json group_of(std::string_view name, std::string_view group_version, std::string_view version) {
    const auto only = Json::object({{"groupVersion", group_version}, {"version", version}});
    return Json::object(
        {{"name", name}, {"versions", Json::Array{only}}, {"preferredVersion", only}});
}

Json group_of(const Kind& kind) {
    return group_of(kind.group, kind.api_version(), kind.version);
}

Json group_of_verbs() {
    return group_of(subresources_group, verbs_version(), subresources_version);
}

Json with_type(Json group) {
    group["kind"] = "APIGroup";
    group["apiVersion"] = "v1";
    return group;
}

Json all_groups() {
    Json::Array groups;
    std::string_view last;
    for (const auto* kind : all_kinds()) {
        if (kind->group == last) continue;
        last = kind->group;
        groups.push_back(group_of(*kind));
    }
    groups.push_back(group_of_verbs());
    return Json::object(
        {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}});
}

std::optional<Json> one_group(std::string_view group) {
    for (const auto* kind : all_kinds()) {
        if (kind->group != group || group.empty()) continue;
        return with_type(group_of(*kind));
    }
    if (group == subresources_group) return with_type(group_of_verbs());
    return {};
}

// The conventions that are followed, and whose server it is.
Json version() {
    return Json::object({{"major", "1"},
                         {"minor", "32"},
                         {"gitVersion", "v1.32.0+sheaf-" SHEAF_VERSION},
                         {"gitCommit", ""},
                         {"gitTreeState", ""},
                         {"buildDate", "1970-01-01T00:00:00Z"},
                         {"goVersion", ""},
                         {"compiler", "clang"},
                         {"platform", "linux/amd64"}});
}

}  // namespace

std::optional<Json> discovery_document(std::span<const std::string> path) {
    if (path.empty()) return {};
    if (path[0] == "version" && path.size() == 1) return version();
    if (path[0] == "api" && path.size() == 1)
        return Json::object({{"kind", "APIVersions"},
                             {"versions", Json::Array{"v1"}},
                             {"serverAddressByClientCIDRs", Json::Array{}}});
    if (path[0] == "api" && path.size() == 2) return resources_of("", path[1]);
    if (path[0] != "apis") return {};
    if (path.size() == 1) return all_groups();
    if (path.size() == 2) return one_group(path[1]);
    if (path.size() == 3 && path[1] == subresources_group && path[2] == subresources_version)
        return verbs();
    if (path.size() == 3 && !path[1].empty()) return resources_of(path[1], path[2]);
    return {};
}

}  // namespace sheaf::api

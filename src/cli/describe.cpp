#include <array>

#include "base/utf8.h"
#include "cli/object_show.h"
#include "cli/yaml_write.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({namespace_option, socket_option});
constexpr auto operands = std::to_array<Operand>(
    {{"KIND", "vm, volumes, images.sheaf.io: any word that the server knows it by"},
     {"NAME", "which object"}});

std::string line(std::string_view name, std::string_view value) {
    return fmt::format("{:<13}{}\n", fmt::format("{}:", name), value.empty() ? "<none>" : value);
}

// "a=b" for each member, one below the other.
std::string pairs(const Json* members) {
    std::string text;
    if (!members || !members->object()) return text;
    for (const auto& [name, value] : *members->object()) {
        if (name.ends_with("last-applied-configuration") || !value.string()) continue;
        if (!text.empty()) text += '\n' + std::string(13, ' ');
        text += showable(fmt::format("{}={}", name, *value.string()));
    }
    return text;
}

std::string indented(std::string_view text) {
    std::string made;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size() - 1);
        made += "  " + std::string{text.substr(0, end + 1)};
        text.remove_prefix(end + 1);
    }
    return made;
}

std::string section(std::string_view name, const Json* value) {
    if (!value || (value->object() && value->object()->empty())) return {};
    return fmt::format("{}:\n{}", name, to_yaml(*value, 2));
}

// Conditions read better as a table; what is a secret is counted, not shown.
std::string body(Json object) {
    std::string text;
    for (auto& [name, value] : *object.object()) {
        if (name == "apiVersion" || name == "kind" || name == "metadata" || name == "status")
            continue;
        if (name == "data" && object.text_at({"kind"}) == "Secret" && value.object()) {
            for (auto& entry : *value.object()) {
                const auto size = entry.value.string() ? entry.value.string()->size() : 0;
                entry.value = fmt::format("{} bytes", size / 4 * 3);
            }
        }
        std::string title{name};
        if (title[0] >= 'a' && title[0] <= 'z') title[0] = static_cast<char>(title[0] - 'a' + 'A');
        text += section(title, &value);
    }
    auto* status = object.find("status");
    if (!status || !status->object()) return text;
    std::vector<std::vector<std::string>> rows{{"TYPE", "STATUS", "REASON", "MESSAGE"}};
    if (const auto* conditions = status->find("conditions"); conditions && conditions->array())
        for (const auto& condition : *conditions->array())
            rows.push_back({std::string{condition.text_at({"type"})},
                            std::string{condition.text_at({"status"})},
                            std::string{condition.text_at({"reason"})},
                            std::string{condition.text_at({"message"})}});
    status->erase("conditions");
    text += section("Status", status);
    if (rows.size() > 1) text += "Conditions:\n" + indented(table(std::move(rows)));
    return text;
}

Result<std::string> events(ApiClient& client, const Json& object) {
    const auto uid = object.text_at({"metadata", "uid"});
    const auto name_space = object.text_at({"metadata", "namespace"});
    auto path = Resource{.version = "v1", .plural = "events", .namespaced = true}.path(name_space);
    path += "?fieldSelector=" + url_part(fmt::format("involvedObject.uid={}", uid));
    const auto list = TRY(client.ask({.target = std::move(path)}));
    std::vector<std::vector<std::string>> rows{{"LAST SEEN", "TYPE", "REASON", "MESSAGE"}};
    if (const auto* items = list.find("items"); items && items->array()) {
        for (const auto& event : *items->array()) {
            auto seen = event.text_at({"lastTimestamp"});
            if (seen.empty()) seen = event.text_at({"eventTime"});
            rows.push_back({std::string{seen}, std::string{event.text_at({"type"})},
                            std::string{event.text_at({"reason"})},
                            std::string{event.text_at({"message"})}});
        }
    }
    if (rows.size() == 1) return line("Events", {});
    return "Events:\n" + indented(table(std::move(rows)));
}

Result<void> describe(const Arguments& arguments) {
    const auto target = TRY(target_of(arguments));
    return print(TRY(description_of(*target.client,
                                    {target.resource, target.name_space, arguments.operand(1)})));
}

int describe_main(std::span<char*> arguments) {
    return main_of(describe_verb, arguments, describe);
}

}  // namespace

Result<std::string> description_of(ApiClient& client, const ObjectPlace& place) {
    const auto object = TRY(client.ask({.target = place.path()}));
    const auto& resource = place.resource;
    auto text = line("Name", showable(object.text_at({"metadata", "name"})));
    if (resource.namespaced)
        text += line("Namespace", showable(object.text_at({"metadata", "namespace"})));
    text += line("Kind", fmt::format("{} ({})", resource.kind, resource.api_version()));
    text += line("Labels", pairs(object.at({"metadata", "labels"})));
    text += line("Annotations", pairs(object.at({"metadata", "annotations"})));
    text += line("Created", object.text_at({"metadata", "creationTimestamp"}));
    const auto deleted = object.text_at({"metadata", "deletionTimestamp"});
    if (!deleted.empty()) text += line("Deleted", deleted);
    text += section("Finalizers", object.at({"metadata", "finalizers"}));
    text += body(object);
    text += TRY(events(client, object));
    return text;
}

constinit const Verb describe_verb = {
    .name = "describe",
    .summary = "say everything about one object, and what has happened to it",
    .options = options,
    .details = "Of a Secret only the sizes of its values are shown.",
    .example = "sheaf describe vm web",
    .main = describe_main,
    .operands = operands,
};

}  // namespace sheaf::cli

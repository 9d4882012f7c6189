#include "api/stored_object.h"

#include <fmt/core.h>

namespace sheaf::api {

namespace {

constexpr std::string_view beginning = R"({"metadata":{")";

}  // namespace

std::string prefix_of(const Kind& kind, std::string_view name_space) {
    auto prefix =
        fmt::format("objects/{}/{}/", kind.group.empty() ? "core" : kind.group, kind.plural);
    if (!kind.namespaced()) return prefix + "-/";
    return name_space.empty() ? prefix : prefix + std::string{name_space} + "/";
}

std::string key_of(const Kind& kind, std::string_view name_space, std::string_view name) {
    return prefix_of(kind, name_space) + std::string{name};
}

std::string stored_text(Json object) {
    auto metadata = object.find("metadata") ? std::move(*object.find("metadata")) : Json{};
    metadata.erase("resourceVersion");
    for (const auto* name : {"metadata", "apiVersion", "kind"}) object.erase(name);
    auto stored = Json::object({{"metadata", std::move(metadata)}});
    for (auto& member : *object.object()) stored.object()->push_back(std::move(member));
    return stored.text();
}

Result<std::string> published_text(const Kind& kind, const kv::Record& record,
                                   kv::Revision revision) {
    const auto text = std::string_view{record.value};
    if (!text.starts_with(beginning))
        return fail(sheaf::Kind::corrupt, "the record {} is no object", record.key);
    return fmt::format(R"({{"apiVersion":"{}","kind":"{}","metadata":{{"resourceVersion":"{}",{})",
                       kind.api_version(), kind.name, revision, text.substr(beginning.size() - 1));
}

Result<std::string> published_text(const Kind& kind, const kv::Record& record) {
    return published_text(kind, record, record.modified);
}

Result<Json> published_object(const Kind& kind, const kv::Record& record) {
    const auto text = TRY(published_text(kind, record));
    auto parsed = Json::parse(text);
    if (!parsed)
        return fail(sheaf::Kind::corrupt, "the record {}: {}", record.key, parsed.error().text());
    return parsed;
}

}  // namespace sheaf::api

#include "cli/resource.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json_path.h"

namespace sheaf::cli {

namespace {

std::string lower(std::string_view text) {
    std::string made{text};
    for (auto& letter : made)
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + 'a' - 'A');
    return made;
}

std::string behind_dot(std::string_view group) {
    return group.empty() ? std::string{} : fmt::format(".{}", group);
}

}  // namespace

std::string url_part(std::string_view text) {
    constexpr std::string_view kept =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    std::string made;
    for (const char letter : text) {
        if (kept.contains(letter)) {
            made += letter;
        } else {
            made += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
        }
    }
    return made;
}

std::string Resource::api_version() const {
    return group.empty() ? version : group + "/" + version;
}

std::string Resource::title(std::string_view name) const {
    return fmt::format("{}{}/{}", singular, behind_dot(group), name);
}

std::string Resource::path(std::string_view name_space, std::string_view name) const {
    auto text = (group.empty() ? "/api/" : "/apis/") + api_version();
    if (namespaced && !name_space.empty()) text += "/namespaces/" + url_part(name_space);
    text += "/" + plural;
    if (!name.empty()) text += "/" + url_part(name);
    return text;
}

Result<Resources> Resources::discover(ApiClient& client) {
    Resources found;
    TRY(found.add(TRY(client.ask({.target = "/api/v1"}))));
    const auto groups = TRY(client.ask({.target = "/apis"}));
    const auto* list = groups.find("groups");
    if (!list || !list->array()) return fail(Kind::corrupt, "the server's list of groups is none");
    for (const auto& group : *list->array()) {
        const auto version = group.text_at({"preferredVersion", "groupVersion"});
        auto document = TRY(client.ask({.target = fmt::format("/apis/{}", version)}));
        TRY(found.add(document));
    }
    return found;
}

Result<void> Resources::add(const Json& list) {
    const auto group_version = list.text_at({"groupVersion"});
    const auto* resources = list.find("resources");
    if (group_version.empty() || !resources || !resources->array())
        return fail(Kind::corrupt, "the server's list of resources is none");
    const auto slash = group_version.find('/');
    const bool core = slash == group_version.npos;
    for (const auto& entry : *resources->array()) {
        Resource made;
        made.group = core ? "" : group_version.substr(0, slash);
        made.version = core ? group_version : group_version.substr(slash + 1);
        made.plural = entry.text_at({"name"});
        made.kind = entry.text_at({"kind"});
        // A part of an object, such as its status, is no kind.
        if (made.plural.empty() || made.kind.empty() || made.plural.contains('/')) continue;
        made.singular = entry.text_at({"singularName"});
        if (made.singular.empty()) made.singular = lower(made.kind);
        const auto* namespaced = entry.find("namespaced");
        made.namespaced = namespaced && namespaced->boolean() && *namespaced->boolean();
        if (const auto* names = entry.find("shortNames"); names && names->array())
            for (const auto& name : *names->array())
                if (const auto* text = name.string()) made.short_names.push_back(*text);
        all_.push_back(std::move(made));
    }
    return {};
}

Result<Resource> Resources::named(std::string_view word) const {
    const auto wanted = lower(word);
    const auto fits = [&](const Resource& resource) {
        const auto is = [&](const std::string& name) {
            return wanted == name || wanted == name + behind_dot(resource.group);
        };
        return is(resource.plural) || is(resource.singular) || wanted == lower(resource.kind) ||
               std::ranges::find(resource.short_names, wanted) != resource.short_names.end();
    };
    const auto found = std::ranges::find_if(all_, fits);
    if (found != all_.end()) return *found;
    std::vector<std::string_view> known;
    known.reserve(all_.size());
    for (const auto& resource : all_) known.push_back(resource.plural);
    return fail(Kind::not_found, "the server has no kind {} (it has {})", json::in_quotes(word),
                fmt::join(known, ", "));
}

Result<Resource> Resources::of_document(const Json& document) const {
    if (!document.object())
        return fail(Kind::invalid, "{} is no object of the API", document.type_name());
    const auto version = document.text_at({"apiVersion"});
    const auto kind = document.text_at({"kind"});
    if (version.empty() || kind.empty())
        return fail(Kind::invalid, "it has no {}", version.empty() ? "apiVersion" : "kind");
    for (const auto& resource : all_)
        if (resource.kind == kind && resource.api_version() == version) return resource;
    return fail(Kind::not_found, "the server has no kind {} in {}", json::in_quotes(kind),
                json::in_quotes(version));
}

}  // namespace sheaf::cli

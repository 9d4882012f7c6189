#include "cli/object_list.h"

#include "base/utf8.h"
#include "cli/object_verb.h"
#include "cli/yaml_write.h"

namespace sheaf::cli {

namespace {

constexpr unsigned page_size = 500;

Json whole_list(const ObjectList& list) {
    Json::Array items;
    for (const auto& page : list.pages)
        if (const auto* some = page.find("items"); some && some->array())
            items.insert(items.end(), some->array()->begin(), some->array()->end());
    return Json::object({{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(items)}});
}

std::string with_parameters(std::string path, const std::string& selector, std::string parameters) {
    if (!selector.empty()) parameters += "&labelSelector=" + url_part(selector);
    if (parameters.empty()) return path;
    return path + '?' + parameters.substr(1);
}

}  // namespace

std::string ObjectQuery::get_target(std::string_view more) const {
    return with_parameters(resource.path(name_space, name), selector, std::string{more});
}

// A watch is of a collection; one object is chosen among it.
std::string ObjectQuery::watch_target(std::string_view more) const {
    auto parameters = "&watch=true" + std::string{more};
    if (!name.empty()) parameters += "&fieldSelector=" + url_part("metadata.name=" + name);
    return with_parameters(resource.path(name_space), selector, std::move(parameters));
}

std::string revision_of(const Json& page) {
    const auto own = page.text_at({"metadata", "resourceVersion"});
    const auto* rows = page.find("rows");
    if (!own.empty() || !rows || !rows->array() || rows->array()->empty()) return std::string{own};
    return std::string{rows->array()->front().text_at({"object", "metadata", "resourceVersion"})};
}

Result<ObjectList> fetch_list(ApiClient& client, const ObjectQuery& query, ListForm form) {
    ObjectList list;
    const auto accept = form == ListForm::table ? table_type : ApiRequest{}.accept;
    std::string token;
    do {
        auto more = query.name.empty() ? fmt::format("&limit={}", page_size) : std::string{};
        if (!token.empty()) more += "&continue=" + url_part(token);
        auto page = TRY(client.ask({.target = query.get_target(more), .accept = accept}));
        token = page.text_at({"metadata", "continue"});
        if (list.pages.empty()) list.revision = revision_of(page);
        list.pages.push_back(std::move(page));
    } while (!token.empty());
    return list;
}

std::string text_of(const ObjectList& list, const ObjectQuery& query, Shape shape) {
    const auto document = query.name.empty() ? whole_list(list) : list.pages.front();
    if (shape == Shape::json) return to_pretty_json(document);
    if (shape == Shape::yaml) return to_yaml(document);
    const auto line = [&](const Json& object) {
        return query.resource.title(showable(object.text_at({"metadata", "name"}))) + '\n';
    };
    if (!query.name.empty()) return line(document);
    std::string text;
    for (const auto& object : *document.find("items")->array()) text += line(object);
    return text;
}

}  // namespace sheaf::cli

#include "cli/object_changes.h"

#include "cli/object_verb.h"
#include "cli/yaml_write.h"

namespace sheaf::cli {

namespace {

Result<std::string> text_of(const Change& change, const ObjectQuery& query, Shape shape,
                            ObjectTable& table) {
    switch (shape) {
        case Shape::json:
            return Json::object({{"type", change.type}, {"object", change.object}}).text() + '\n';
        case Shape::yaml: return "---\n" + to_yaml(change.object);
        case Shape::name:
            return query.resource.title(change.object.text_at({"metadata", "name"})) + '\n';
        case Shape::table:
        case Shape::wide: TRY(table.add(change.object, change.type)); return table.take();
    }
    return std::string{};
}

}  // namespace

Result<Change> parse_change(std::string_view line) {
    auto document = TRY_WITHIN(Json::parse(line), "a change");
    auto* object = document.find("object");
    Change change{std::string{document.text_at({"type"})}, {}};
    if (change.type.empty() || !object || !object->object())
        return fail(Kind::corrupt, "the server tells of a change that is none");
    if (change.type == "ERROR") {
        const auto* code = object->find("code");
        const auto status = code ? code->integer().value_or(500) : 500;
        return Failure{refusal_of(static_cast<unsigned>(status), object->text())};
    }
    change.object = std::move(*object);
    return change;
}

Result<void> print_changes(ApiClient& client, const ObjectQuery& query, Shape shape,
                           std::string revision, ObjectTable& table) {
    const bool as_table = shape == Shape::table || shape == Shape::wide;
    const auto accept = as_table ? table_type : ApiRequest{}.accept;
    while (true) {
        std::string more = "&allowWatchBookmarks=true";
        if (!revision.empty()) more += "&resourceVersion=" + url_part(revision);
        TRY(client.begin({.target = query.watch_target(more), .accept = accept}));
        while (const auto line = TRY(client.next_line())) {
            const auto change = TRY(parse_change(*line));
            if (auto at = revision_of(change.object); !at.empty()) revision = std::move(at);
            if (change.type == "BOOKMARK") continue;
            TRY(print(TRY(text_of(change, query, shape, table))));
        }
    }
}

}  // namespace sheaf::cli

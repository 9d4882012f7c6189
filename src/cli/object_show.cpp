#include "cli/object_show.h"

#include <cstdio>

#include "cli/object_changes.h"

namespace sheaf::cli {

namespace {

// The object has gone once it is not there, or another one of its name is.
Result<void> wait_until_gone(ApiClient& client, const ObjectPlace& place, std::string_view uid) {
    while (true) {
        const auto current = client.ask({.target = place.path()});
        if (!current && current.error().kind() == Kind::not_found) return {};
        if (!current) return Failure{current.error()};
        if (current->text_at({"metadata", "uid"}) != uid) return {};
        const ObjectQuery query{place.resource, place.name_space, place.name, {}};
        const auto more = "&resourceVersion=" + url_part(revision_of(*current));
        TRY(client.begin({.target = query.watch_target(more)}));
        while (const auto line = TRY(client.next_line()))
            if (TRY(parse_change(*line)).type == "DELETED") return {};
    }
}

}  // namespace

Result<Shape> parse_shape(const Arguments& arguments) {
    const auto word = TRY(arguments.one("o", "table"));
    if (!arguments.has("o")) return Shape::table;
    if (word == "json") return Shape::json;
    if (word == "yaml") return Shape::yaml;
    if (word == "name") return Shape::name;
    if (word == "wide") return Shape::wide;
    return fail(Kind::invalid, "-o is json, yaml, name or wide, not \"{}\"", word);
}

ObjectTable::Shown columns_of(Shape shape, const ObjectQuery& query) {
    return {.wide = shape == Shape::wide,
            .name_space = query.resource.namespaced && query.name_space.empty()};
}

Result<std::string> print_list(ApiClient& client, const ObjectQuery& query, Shape shape,
                               ObjectTable& table) {
    const bool as_table = shape == Shape::table || shape == Shape::wide;
    const auto list =
        TRY(fetch_list(client, query, as_table ? ListForm::table : ListForm::objects));
    if (!as_table) {
        TRY(print(text_of(list, query, shape)));
        return list.revision;
    }
    for (const auto& page : list.pages) TRY(table.add(page));
    const auto where = query.name_space.empty() ? "" : " in " + query.name_space;
    if (table.empty())
        std::fputs(fmt::format("sheaf: there are no {}{}\n", query.resource.plural, where).c_str(),
                   stderr);
    TRY(print(table.take()));
    return list.revision;
}

Result<void> remove_object(ApiClient& client, const ObjectPlace& place, Wait wait) {
    const auto answer = TRY(client.ask({.method = "DELETE", .target = place.path()}));
    // Of what has gone at once the answer is a Status; else it is the object that is going.
    const auto uid = std::string{answer.text_at({"metadata", "uid"})};
    if (!uid.empty() && wait == Wait::until_gone) TRY(wait_until_gone(client, place, uid));
    return print(fmt::format("{} deleted\n", place.resource.title(place.name)));
}

}  // namespace sheaf::cli

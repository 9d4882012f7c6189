#pragma once

// Why: lists come in pages, and are shown in several shapes.

#include "cli/resource.h"

namespace sheaf::cli {

enum class Shape : std::uint8_t { table, wide, name, json, yaml };
enum class ListForm : std::uint8_t { objects, table };

// Which objects: all of a kind, or one.
struct ObjectQuery {
    Resource resource;
    std::string name_space;  // empty: all
    std::string name;        // empty: all
    std::string selector;    // of labels
    // Targets of requests; `more` are further parameters, each with "&" in front.
    std::string get_target(std::string_view more) const;
    std::string watch_target(std::string_view more) const;
};

struct ObjectList {
    std::vector<Json> pages;  // lists or tables; or one object
    std::string revision;     // of the first page
};

// Which revision a list, an object, or a table is of; of a table of one object its row knows it.
std::string revision_of(const Json& page);

// All pages. Where it is of one object, that object: not_found where there is none.
Result<ObjectList> fetch_list(ApiClient& client, const ObjectQuery& query, ListForm form);

// A list of objects, or one object, as json, yaml or name.
std::string text_of(const ObjectList& list, const ObjectQuery& query, Shape shape);

}  // namespace sheaf::cli

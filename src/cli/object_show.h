#pragma once

// Why: objects are shown and removed by verbs of their own, and by those about machines, in the
// same way.

#include "cli/object_list.h"
#include "cli/object_verb.h"

namespace sheaf::cli {

inline constexpr Option shape_option = {"o", "json|yaml|name|wide", "how objects are printed"};
Result<Shape> parse_shape(const Arguments& arguments);
// What a table of these objects shows beside the server's columns.
ObjectTable::Shown columns_of(Shape shape, const ObjectQuery& query);

// Prints what there is; gives the revision from which a watch goes on.
Result<std::string> print_list(ApiClient& client, const ObjectQuery& query, Shape shape,
                               ObjectTable& table);

// Everything about one object, for people, with its Events.
Result<std::string> description_of(ApiClient& client, const ObjectPlace& place);

// Asks for its end and says so; without waiting it may be there for a while.
enum class Wait : std::uint8_t { until_gone, not_at_all };
Result<void> remove_object(ApiClient& client, const ObjectPlace& place,
                           Wait wait = Wait::until_gone);

}  // namespace sheaf::cli

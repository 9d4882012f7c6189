#pragma once

// Why: changes of objects are heard from a stream that ends from time to time, and goes on where it
// was.

#include "cli/object_list.h"
#include "cli/object_table.h"

namespace sheaf::cli {

// Prints each change of the queried objects after `revision` in that shape, what is there first
// where none is given. Ends by an error alone: the daemon has gone, or its history is lost.
Result<void> print_changes(ApiClient& client, const ObjectQuery& query, Shape shape,
                           std::string revision, ObjectTable& table);

// A change, as a line of a watch tells of it.
struct Change {
    std::string type;  // ADDED, MODIFIED, DELETED, BOOKMARK
    Json object;       // or a Table with one row
};
// Fails with corrupt where it is no change, and with the server's words where it is an ERROR.
Result<Change> parse_change(std::string_view line);

}  // namespace sheaf::cli

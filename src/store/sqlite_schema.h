#pragma once

// Why: a file is a store of ours, of a version we know, or it is refused before anything of it is
// changed. The schema is docs/formats/store.md.

#include "store/sqlite_connection.h"

namespace sheaf::kv {

// Opens the store at `path`, and makes it where there is no file; its folder must be there. Blocks.
// Fails with invalid where it is a file of something else, unsupported where it is of a later
// version, denied where it cannot be written, not_found where there is no such folder.
Result<SqliteConnection> open_sqlite(const std::string& path);

// Milliseconds since the host started, also while it slept.
std::uint64_t milliseconds_of_boot();

}  // namespace sheaf::kv

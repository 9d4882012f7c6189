#pragma once

// Why: volumes, images and layers are named by ids that never meet; in a pool's files an id is text
// (docs/formats/pool.md).

#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/volume/format.h"

namespace sheaf::pool {

using volume::Id;

// A random id.
Result<Id> make_id();

// Of this host, from one start of it to the next.
Result<Id> boot_id();

// 32 lower-case hexadecimal digits, and back (invalid for anything else).
std::string to_text(const Id& id);
Result<Id> parse_id(std::string_view text);

}  // namespace sheaf::pool

#pragma once

// Why: names of volumes, images and snapshots become names of files, exports and table entries. One
// rule for all of them, with a sentence for each way to break it.

#include <string_view>

#include "base/result.h"

namespace sheaf::pool {

inline constexpr std::size_t longest_name = 63;

// Holds for 1 to 63 lower-case letters, digits, '-' and '.', the first no sign. Fails with
// invalid; `what` is "volume", "snapshot", ...
Result<void> check_name(std::string_view what, std::string_view name);

}  // namespace sheaf::pool

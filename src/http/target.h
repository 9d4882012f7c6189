#pragma once

// Why: a request's target is a path and a query that come from outside; who answers wants their
// words, and nothing that could mean two things.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sheaf::http {

struct Target {
    std::vector<std::string> path;  // its segments, decoded; none of them is empty, "." or ".."
    std::vector<std::pair<std::string, std::string>> query;  // in order

    // The value of the first parameter of this name; none where it was not given.
    std::optional<std::string_view> parameter(std::string_view name) const;
};

// In origin-form (RFC 9112, section 3.2.1): an absolute path. One "/" at the end is allowed. Fails
// with invalid for any other, for empty segments, "." and "..", for an escape that is none or hides
// a "/" or a control character, and for what is not UTF-8.
Result<Target> parse_target(std::string_view text);

}  // namespace sheaf::http

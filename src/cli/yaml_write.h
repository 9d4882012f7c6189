#pragma once

// Why: objects are read by people as YAML, as kubectl writes it: words without quotes where every
// reader takes them for the same string, texts of several lines as they are.

#include <string>

#include "base/json_tree.h"

namespace sheaf::cli {

// The value as a document of YAML, ending with a newline. `indent` spaces stand before each line.
std::string to_yaml(const Json& value, std::size_t indent = 0);

}  // namespace sheaf::cli

#pragma once

// Why: people write objects as YAML; the API takes JSON. Parsed by libyaml, whose reading kubectl's
// library follows; what is a bomb or no JSON is refused (docs/decisions/0016-yaml.md).

#include <string_view>
#include <vector>

#include "base/json_tree.h"

namespace sheaf::cli {

// Levels, as of JSON, and values of all documents together, aliases counted as what they stand for.
inline constexpr std::size_t yaml_value_limit = 200'000;
inline constexpr std::size_t yaml_text_limit = std::size_t{16} << 20;  // bytes

// Every document of a text, those without content left out. One that is JSON is read as JSON. Fails
// with invalid, saying the line where it can.
Result<std::vector<Json>> read_documents(std::string_view text);

}  // namespace sheaf::cli

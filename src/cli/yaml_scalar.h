#pragma once

// Why: the same file has to mean the same object to kubectl and to Sheaf. What a plain word of YAML
// is (a number, a boolean, a string) is decided as kubectl's reader does: by YAML 1.1, where `yes`,
// `on` and `y` are booleans too (docs/decisions/0016-yaml.md).

#include <string_view>

#include "base/json_tree.h"

namespace sheaf::cli {

// The value of a word without quotes. Fails with invalid for a number that JSON does not have.
Result<Json> plain_scalar(std::string_view word);

// Whether the word without quotes is a string, and the same string, to every reader.
bool is_plain_string(std::string_view word);

}  // namespace sheaf::cli

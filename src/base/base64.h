#pragma once

// Why: JSON has no bytes; protocols over it write them as base64 (RFC 4648, section 4).

#include <string>
#include <string_view>

#include "base/result.h"

namespace sheaf {

std::string to_base64(std::string_view bytes);
// Fails with invalid where it is not whole groups of four with their padding.
Result<std::string> from_base64(std::string_view text);

}  // namespace sheaf

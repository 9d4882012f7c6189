#pragma once

// Why: secrets and settings are small files: read whole, written whole or not at all.

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace sheaf::api {

// The text of a file of at most 1 MiB. Fails with not_found where there is none.
Result<std::string> read_small_file(const std::string& path);

// Replaces the file: after a crash it has the old text or the new one.
Result<void> write_small_file(const std::string& path, std::string_view text, mode_t mode);

}  // namespace sheaf::api

#pragma once

// Why: "uefi" is a word, firmware is a file. Where that file is depends on how Sheaf was installed.

#include <string>
#include <string_view>

#include "base/result.h"

namespace sheaf::node {

inline constexpr std::string_view uefi = "uefi";
// What that firmware has room for (docs/devices/uefi.md); with more it would run into its own
// memory.
inline constexpr unsigned uefi_most_cpus = 64;

// The path of the firmware that `wanted` means: for "uefi" the first that exists of $SHEAF_UEFI,
// share/sheaf/uefi.fd beside the binary's folder, /usr/share/sheaf/uefi.fd, and uefi.fd in the
// user's cache, where firmware/uefi/build leaves it; anything else is a path. Fails with not_found,
// saying how to get one.
Result<std::string> find_firmware(const std::string& wanted);

}  // namespace sheaf::node

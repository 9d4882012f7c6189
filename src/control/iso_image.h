#pragma once

// Why: a guest reads its first configuration from a small disk that is made for it. ISO 9660 is
// what every guest can read and none writes to; a library for it (libisofs) would be the largest
// one that Sheaf has, for three files (docs/formats/cloud-init-seed.md).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/wall_clock.h"

namespace sheaf::control {

struct IsoFile {
    std::string name;  // 1 to 30 small letters, digits, '-' and '.'
    std::string content;
};

// A file system with these files in its root, as ECMA-119 and Joliet have it. The label has at most
// 16 letters; the size is a multiple of 4096 bytes. Fails with invalid for names and labels that do
// not fit, for more than 20 files, or 16 MiB in all.
Result<std::string> make_iso_image(std::string_view label, std::span<const IsoFile> files,
                                   WallClock::TimePoint made);

}  // namespace sheaf::control

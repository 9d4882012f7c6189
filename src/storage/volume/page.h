#pragma once

// Why: a page read from a disk may be anything. It is used only after it has proved, by magic,
// kind, owner, position and checksum, that it is the one that belongs there.

#include <cstddef>
#include <span>

#include "base/result.h"
#include "storage/volume/format.h"

namespace sheaf::volume {

// What a page must say of itself.
struct PageName {
    PageKind kind;
    Id owner;
    std::uint64_t position = 0;
};

// Writes header and checksum into `page`, whose first 64 bytes are not used otherwise. Gives the
// checksum.
std::uint32_t seal(std::span<std::byte> page, const PageName& name, std::uint64_t sequence);

// Fails with corrupt, saying why, where `page` is not a sound page of this name; the header else.
Result<PageHeader> check(std::span<const std::byte> page, const PageName& name);

// The kind as it is printed, for example "slots page".
const char* to_string(PageKind kind);

}  // namespace sheaf::volume

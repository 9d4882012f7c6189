#pragma once

// Why: what a file is must be known before it is taken for a disk: qcow2 is read, raw is whatever
// is nothing else, and other formats are refused by name.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace sheaf::image {

enum class Format : std::uint8_t { raw, qcow2 };
std::string_view to_string(Format format);
// Fails with invalid for another word.
Result<Format> parse_format(std::string_view word);

// Bytes of the beginning of a file that tell what it is.
inline constexpr std::size_t telling_size = 512;

// What the file that begins so is. Fails with unsupported for what is neither.
Result<Format> format_of(std::span<const std::byte> head);

// The name of the format of disk images that begin so, where it is not raw.
std::optional<std::string_view> foreign_format(std::string_view head);

}  // namespace sheaf::image

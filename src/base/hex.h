#pragma once

// Why: ids, digests and what debuggers ask for are bytes that people and protocols write as
// hexadecimal digits.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sheaf {

// What is written; letters of either case are read.
inline constexpr std::string_view hex_digits = "0123456789abcdef";

// Two digits a byte.
void append_hex(std::string& text, std::span<const std::byte> bytes);
std::string to_hex(std::span<const std::byte> bytes);
// Fails with invalid where it is not an even number of hexadecimal digits.
Result<std::vector<std::byte>> from_hex(std::string_view text);
// The value of a hexadecimal digit, -1 for anything else.
int hex_digit(char letter);

}  // namespace sheaf

#pragma once

// Why: what a verb found is printed for people as a table and for programs as JSON or YAML, all of
// it from the same described values.

#include "base/json.h"
#include "cli/options.h"

namespace sheaf::cli {

enum class Format : std::uint8_t { table, json, yaml };

inline constexpr Option output_option = {"o", "json|yaml", "print for programs instead of people"};

// What -o asks for; invalid for another word.
Result<Format> parse_format(const Arguments& arguments);

// A document as it was asked for; `json` is one that encode() made.
std::string document(std::string_view json, Format format);

// Rows of words below a heading, as wide as they need to be, and fit for a terminal.
std::string table(std::vector<std::vector<std::string>> rows);

// "10 GiB", "1.5 MiB", "512 bytes".
std::string human_size(std::uint64_t bytes);

}  // namespace sheaf::cli

#pragma once

// Why: amounts are written as Kubernetes has them, "512Mi", "1.5", 2; who acts on them needs a
// number.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/json_tree.h"

namespace sheaf::api {

// What a quantity (names.h) is, rounded up to a whole number of `unit`: 1, or 1000 for thousandths.
// Fails with invalid where it is none, or more than 2^63 - 1.
Result<std::uint64_t> parse_quantity(std::string_view text, std::uint64_t unit = 1);
// The same of a text or a number in an object; none where nothing is there.
Result<std::optional<std::uint64_t>> quantity_at(const Json& object, Json::Names path,
                                                 std::uint64_t unit = 1);

// The shortest exact form: "10Gi", "1500Mi", "4097".
std::string quantity_text(std::uint64_t bytes);

}  // namespace sheaf::api

#pragma once

// Why: whoever sends an object with five mistakes wants to hear of all five, each with its path.

#include <string>
#include <string_view>
#include <vector>

namespace sheaf::api {

enum class Reason { invalid, required, not_supported, duplicate, forbidden, type_invalid };

struct Cause {
    Reason reason;
    std::string field;  // "spec.disks[0].name"
    std::string message;
};

using Causes = std::vector<Cause>;

// As a Status has it: "FieldValueInvalid", ...
std::string_view word_of(Reason reason);

}  // namespace sheaf::api

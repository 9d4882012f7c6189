#pragma once

// Why: what an object is short of is told in its status, in the form that every client of
// Kubernetes reads and `kubectl wait` waits for.

#include <string>
#include <string_view>

#include "base/json_tree.h"

namespace sheaf::control {

struct Condition {
    std::string_view type;    // "Ready"
    std::string_view status;  // one of the next three
    std::string_view reason;  // one word, for machines
    std::string message;      // a sentence, for people; empty: there is nothing to say
};
inline constexpr std::string_view yes = "True";
inline constexpr std::string_view no = "False";
inline constexpr std::string_view unknown = "Unknown";

// Puts it into the status of the object, in place of the one of its type. The time of its last
// transition is `time` where its status is another than before, and stays where it is not.
void set_condition(Json& status, const Json& object, const Condition& condition,
                   std::string_view time);
// Null where there is none of that type.
const Json* find_condition(const Json& status, std::string_view type);
const Json* find_condition(Json&& status, std::string_view type) = delete;  // it would be gone
// The message of an object's condition; empty where there is none.
std::string message_of(const Json& object, std::string_view type);
bool is_condition(const Json& object, std::string_view type, std::string_view status);
void remove_condition(Json& status, std::string_view type);

}  // namespace sheaf::control

#include "api/service_answers.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/json_path.h"

namespace sheaf::api {

Answer method_not_allowed(std::string_view method) {
    return failure(405, "MethodNotAllowed",
                   fmt::format("the server does not allow this method on the requested resource: "
                               "{}",
                               json::in_quotes(method)));
}

std::string_view metric_verb(std::string_view verb) {
    constexpr auto known = std::to_array<std::string_view>(
        {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"});
    const auto found = std::ranges::find(known, verb);
    return found == known.end() ? "other" : *found;
}

std::string_view metric_verb_of_call(std::string_view verb) {
    return verb == "console" ? "console" : verb == "log" ? "log" : "update";
}

}  // namespace sheaf::api

#pragma once

// Why: what several sources of the service answer alike.

#include "api/answer.h"

namespace sheaf::api {

Answer method_not_allowed(std::string_view method);
// A verb as metrics name it: of a constant set, whatever a client sends.
std::string_view metric_verb(std::string_view verb);
std::string_view metric_verb_of_call(std::string_view verb);

}  // namespace sheaf::api

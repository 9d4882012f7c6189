#pragma once

// Why: clients find out what a server offers before they ask for it (docs/api.md, Discovery).

#include <optional>
#include <span>
#include <string>

#include "base/json_tree.h"

namespace sheaf::api {

// The document below /api, /apis and /version of this path; none where there is none.
std::optional<Json> discovery_document(std::span<const std::string> path);

}  // namespace sheaf::api

#pragma once

// Why: the fields of the kinds are published as OpenAPI, of which clients explain and check what a
// person writes (docs/api.md, OpenAPI). Made when asked for: nothing is kept.

#include <optional>
#include <span>
#include <string>

#include "base/json_tree.h"

namespace sheaf::api {

// Version 2.0, of all kinds.
Json openapi_v2();
// The same as gnostic's openapi.v2.Document in protobuf: of definitions all, of paths what a client
// asks them for.
std::string openapi_v2_protobuf();

// Version 3.0: the list of what there is, below /openapi/v3; and the kinds of a group and version,
// "api/v1" or "apis/GROUP/VERSION". None where there is none.
Json openapi_v3_index();
std::optional<Json> openapi_v3(std::span<const std::string> group_version);

}  // namespace sheaf::api

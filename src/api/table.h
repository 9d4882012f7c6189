#pragma once

// Why: kubectl shows tables that the server makes, so that whoever defines a kind says what is
// worth seeing of it (docs/api.md, Tables).

#include <span>

#include "api/kind.h"
#include "base/wall_clock.h"

namespace sheaf::api {

// What stands beside the cells of each row.
enum class Include { metadata, object, nothing };

// meta.k8s.io/v1 Table of these objects. `list_metadata` becomes its metadata.
Json table_of(const Kind& kind, std::span<const Json> objects, Json list_metadata, Include include,
              WallClock::TimePoint now);

// How long ago that was, as Kubernetes writes it: "5s", "3m12s", "4h", "6d"; "<unknown>".
std::string age_of(std::string_view time, WallClock::TimePoint now);

}  // namespace sheaf::api

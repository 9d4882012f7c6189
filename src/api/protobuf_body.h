#pragma once

// Why: kubectl writes what it makes of options (create namespace, create secret) in the protobuf
// encoding of Kubernetes, and asks for nothing else first.

#include <expected>
#include <string_view>

#include "api/answer.h"

namespace sheaf::api {

inline constexpr std::string_view protobuf_media_type = "application/vnd.kubernetes.protobuf";

// An object of the kind as JSON: a Namespace or a Secret, of whose metadata names, labels and
// annotations are read. 415 for another kind, 400 where the text is no such object, or has in it
// what would be lost.
std::expected<Json, Answer> object_of_protobuf(std::string_view text, const Kind& kind);

}  // namespace sheaf::api

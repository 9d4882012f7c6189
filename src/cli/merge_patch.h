#pragma once

// Why: an object is changed by what differs (RFC 7386), so that what others have set stays. The
// three-way form is that of `kubectl apply`: what a file no longer says goes, what it never said
// stays.

#include "base/json_tree.h"

namespace sheaf::cli {

// What makes `after` of `before`: an empty object where nothing has to change. Both are objects.
Json merge_difference(const Json& before, const Json& after);

// What makes `current` say all that `wanted` says, and nothing that `last` said and `wanted` does
// not. Nulls in `wanted` are as if not there.
Json three_way_patch(const Json& last, const Json& current, const Json& wanted);

// The annotation in which `kubectl apply`, and Sheaf's, keep what the file said last.
inline constexpr std::string_view last_applied_name =
    "kubectl.kubernetes.io/last-applied-configuration";

// The text that is kept for a file's object, as kubectl writes it: members in order of their names.
std::string last_applied_text(Json object);

}  // namespace sheaf::cli

#pragma once

// Why: clients change a part of an object by a patch, in the forms that Kubernetes takes
// (docs/api.md, Patches).

#include "base/json_tree.h"

namespace sheaf::api {

// RFC 7386. The patch is an object.
void apply_merge_patch(Json& target, const Json& patch);

// RFC 6902. All of it or nothing. Fails with invalid where it is none or does not fit, with
// conflict where a test does not hold, with exhausted where it makes too much of the document.
Result<void> apply_json_patch(Json& target, const Json& patch);

// What of a strategic merge patch means something else than in a merge patch: fails with
// unsupported, naming it.
Result<void> check_strategic_patch(const Json& patch);

}  // namespace sheaf::api

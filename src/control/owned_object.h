#pragma once

// Why: a claim is another face of a volume of its name: the one makes the other, and knows it for
// its own by its ownerReferences, so that it never takes away what somebody else made.

#include "control/object_client.h"

namespace sheaf::control {

bool is_owned(const Json& object, const Json& owner);
// For the `ownerReferences` of what is made for it.
Json owner_reference(const api::Kind& kind, const Json& owner);
// Takes the owner out of them; leaves in `object` what is kept then.
io::Task<void> disown(ObjectClient& client, const api::Kind& kind, Json& object, const Json& owner);

// The object of this kind with the owner's name. Where there is none it is made with this spec, and
// is the owner's; where there is one it is left as it is. Everything outlives it.
io::Task<Json> provide_object(ObjectClient& client, const api::Kind& kind,
                              const api::Kind& owner_kind, const Json& owner, Json spec);
// Asks for its end where it is the owner's; gives whether it is gone, or somebody else's.
io::Task<bool> remove_owned(ObjectClient& client, const api::Kind& kind, const Json& owner);

}  // namespace sheaf::control

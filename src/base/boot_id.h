#pragma once

// Why: what was counted or held before the host started anew says nothing afterwards. A host's boot
// has an id that tells.

#include <string>

#include "base/result.h"

namespace sheaf {

// Of this host, from one start of it to the next: a UUID as the kernel prints it. Fails with
// unavailable where the host does not say. Any thread.
Result<std::string> boot_id();

}  // namespace sheaf

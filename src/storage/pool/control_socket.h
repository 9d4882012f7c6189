#pragma once

// Why: whoever has the engine of a volume listens on a unix socket in the volume's directory. The
// directory is reached by its descriptor, for its path may be longer than a socket's may.

#include "storage/pool/directory.h"

namespace sheaf::pool {

// The socket, listening; one that a dead engine left is replaced. The volume's lock is held.
Result<Fd> listen_for_control(const Directory& volume);
Result<void> remove_control(const Directory& volume);

// Connects at once. Fails with not_found or unavailable where nobody listens.
Result<Fd> connect_to_control(const Directory& volume);

}  // namespace sheaf::pool

#pragma once

// Why: how each request is said to io_uring. Included only by the UringLoop.

#include "io/operation.h"

struct io_uring_sqe;

namespace sheaf::io {

// Fills the entry, all but user_data.
void prepare(io_uring_sqe& entry, Operation& operation);

// Whether EAGAIN means that the descriptor is to be waited for, and for which poll events.
bool can_wait_for(const Request& request);
unsigned events_for(const Request& request);

}  // namespace sheaf::io

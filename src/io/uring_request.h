#pragma once

// Why: how each request is said to io_uring. Included only by the UringLoop.

#include "io/operation.h"

struct io_uring_sqe;

namespace sheaf::io {

class UringMemory;

// Fills the entry, all but user_data.
void prepare(io_uring_sqe& entry, Operation& operation, const UringMemory& memory);

}  // namespace sheaf::io

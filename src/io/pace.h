#pragma once

// Why: io_uring hands every request on a file that cannot refuse to wait (tmpfs, hugetlbfs) to a
// worker thread of the kernel, which costs far more than the copy it makes. Where a file lives in
// memory a plain system call by the loop itself is the cheap way, and the loop is told so with
// Pace::at_once. Files on devices are never read that way: the loop would wait for the device.

#include "base/result.h"
#include "io/operation.h"

namespace sheaf::io {

// How the file behind the descriptor answers; by its file system, asked once when it is opened.
Result<Pace> pace_of(int fd);

}  // namespace sheaf::io

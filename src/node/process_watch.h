#pragma once

// Why: processes that are not this one's children, and outlive it, are waited for by descriptors; a
// number alone may by now be somebody else's.

#include <sys/types.h>

#include "base/fd.h"

namespace sheaf::node {

// Readable once the process has ended (a pidfd). Fails with not_found where there is none. Whether
// the number was still that process's the caller has to know.
Result<Fd> watch_process(pid_t process);
// The same where `parent` is its parent.
Result<Fd> watch_child_of(pid_t parent, pid_t process);

// Of a process that has ended: reaps it where it is this one's child, and says how it ended, for a
// person. Empty for status 0, and where it was another's child.
std::string reap(const Fd& ended);

}  // namespace sheaf::node

#pragma once

// Why: a broken rule of ownership (a group destroyed while it runs) cannot be reported as an error:
// the kernel may be about to write into freed memory. The process says which rule and ends.

namespace sheaf::io {

// Prints `rule` to the standard error and aborts. Never reachable by guest, peer or user input.
[[noreturn]] void misuse(const char* rule);

}  // namespace sheaf::io

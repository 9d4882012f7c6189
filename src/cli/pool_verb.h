#pragma once

// Why: verbs about what is in a pool have the same option, the same way to fail and the same way to
// run a task.

#include <memory>

#include "cli/output.h"
#include "cli/verbs.h"
#include "io/make_loop.h"
#include "io/task_group.h"
#include "storage/pool/pool.h"

namespace sheaf::cli {

inline constexpr Option pool_option = {"pool", "DIR", "the pool (default: /var/lib/sheaf/pool)"};

Result<std::unique_ptr<pool::Pool>> open_pool(const Arguments& arguments);

// The path that --pool names, or the default.
Result<std::string> pool_path(const Arguments& arguments);

// Prints why the verb failed, as one line; gives the exit code that says whose fault it is.
int refuse(const Verb& verb, const Error& error);

// The exit code of a verb whose work is a plain function: 0, or refuse().
using Work = Result<void> (*)(const Arguments&);
int main_of(const Verb& verb, std::span<char*> arguments, Work work);

// Prints to the standard output. Fails where it cannot be written.
Result<void> print(std::string_view text);

}  // namespace sheaf::cli

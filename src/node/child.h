#pragma once

// Why: a VMM is a child process that gets exactly the descriptors it is given, and is always
// reaped.

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

#include "base/fd.h"

namespace sheaf::node {

class Child {
  public:
    Child() = default;
    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;
    ~Child();  // kills and reaps a child that still runs

    // Starts this very program again with `arguments` (the first is its name), in a process group
    // of its own, with default signals and with `inherited` descriptors open under their own
    // numbers.
    static Result<Child> start(const std::vector<std::string>& arguments,
                               std::span<const int> inherited);

    // Readable once the child has ended (a pidfd).
    const Fd& ended() const { return pidfd_; }
    // Reaps a child that has ended and says how, for a person; empty for status 0.
    std::string reap();
    void kill() const;

  private:
    Child(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
    pid_t pid_ = 0;
    Fd pidfd_;
};

}  // namespace sheaf::node

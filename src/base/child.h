#pragma once

// Why: a program that this one starts gets exactly the descriptors it is given, and is always
// reaped.

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

#include "base/fd.h"

namespace sheaf {

class Child {
  public:
    Child() = default;
    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;
    ~Child();  // kills and reaps a child that still runs

    // This very program.
    static constexpr const char* same_program = "/proc/self/exe";
    // A descriptor of this process, and its number in the child.
    struct Handed {
        int ours;
        int theirs;
    };

    // What it is apart from: the terminal's signals, or the terminal as a whole.
    enum class Apart { process_group, session };

    // Starts `program` (a path, or a name that PATH finds) with `arguments`, of which the first is
    // its name, in a process group or session of its own, with default signals and with `handed`
    // open. Fails with not_found where there is no such program.
    static Result<Child> start(const char* program, const std::vector<std::string>& arguments,
                               std::span<const Handed> handed, Apart apart = Apart::process_group);

    pid_t pid() const { return pid_; }
    // Readable once the child has ended (a pidfd).
    const Fd& ended() const { return pidfd_; }
    // Waits for its end, reaps it and says how it ended, for a person; empty for status 0.
    std::string reap();
    void kill() const;
    // Lets it go: it outlives this process, or is never reaped by it. Gives what ended() was.
    Fd release();

  private:
    Child(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
    pid_t pid_ = 0;
    Fd pidfd_;
};

}  // namespace sheaf

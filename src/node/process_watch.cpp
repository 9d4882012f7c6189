#include "node/process_watch.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

namespace sheaf::node {

namespace {

// proc(5), /proc/pid/stat: the parent is the second word after the name, which ends with the last
// parenthesis.
pid_t parent_of(pid_t process) {
    std::ifstream file{fmt::format("/proc/{}/stat", process)};
    std::string line;
    std::getline(file, line);
    const auto name_end = line.rfind(')');
    if (name_end == line.npos) return 0;
    pid_t parent = 0;
    char state = 0;
    return std::sscanf(line.c_str() + name_end + 1, " %c %d", &state, &parent) == 2 ? parent : 0;
}

}  // namespace

Result<Fd> watch_process(pid_t process) {
    auto fd = checked_fd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)),
                         "watching process {}", process);
    if (!fd && fd.error().os_error() == ESRCH)
        return fail(Kind::not_found, "there is no process {}", process);
    return fd;
}

Result<Fd> watch_child_of(pid_t parent, pid_t process) {
    auto fd = TRY(watch_process(process));
    if (parent_of(process) != parent)
        return fail(Kind::not_found, "process {} is no child of {}", process, parent);
    return fd;
}

std::string reap(const Fd& ended) {
    siginfo_t how{};
    const auto which = static_cast<id_t>(ended.get());
    if (::waitid(P_PIDFD, which, &how, WEXITED) != 0) return {};
    if (how.si_code != CLD_EXITED)
        return fmt::format("killed by signal {} ({})", how.si_status, ::sigdescr_np(how.si_status));
    return how.si_status == 0 ? std::string{} : fmt::format("exit status {}", how.si_status);
}

}  // namespace sheaf::node

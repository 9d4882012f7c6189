#include "base/child.h"

#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace sheaf {

namespace {

// posix_spawn's two descriptions, released with the scope.
class SpawnPlan {
  public:
    SpawnPlan() {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawnattr_init(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }

    // Duplicating a descriptor onto itself clears its close-on-exec flag in the child.
    void hand(const Child::Handed& handed) {
        ::posix_spawn_file_actions_adddup2(&actions_, handed.ours, handed.theirs);
    }

    Result<pid_t> run(const char* program, char* const* arguments, Child::Apart apart) {
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        ::posix_spawnattr_setpgroup(&attributes_, 0);
        const int own = apart == Child::Apart::session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
        ::posix_spawnattr_setflags(
            &attributes_, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | own));
        pid_t pid = 0;
        const int error =
            ::posix_spawnp(&pid, program, &actions_, &attributes_, arguments, environ);
        if (error != 0) return fail_os(error, "starting {}", arguments[0]);
        return pid;
    }

  private:
    posix_spawn_file_actions_t actions_;
    posix_spawnattr_t attributes_;
};

}  // namespace

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}

Child& Child::operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(pidfd_, other.pidfd_);
    return *this;
}

Child::~Child() {
    if (pid_ == 0) return;
    kill();
    reap();
}

Result<Child> Child::start(const char* program, const std::vector<std::string>& arguments,
                           std::span<const Handed> handed, Apart apart) {
    auto plan = SpawnPlan{};
    for (const auto& one : handed) plan.hand(one);
    auto pointers = std::vector<char*>{};
    for (const auto& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    const auto pid = TRY(plan.run(program, pointers.data(), apart));
    auto child = Child{pid, {}};
    child.pidfd_ = TRY(checked_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)),
                                  "watching process {}", pid));
    return child;
}

std::string Child::reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = 0;
    if (WIFSIGNALED(status))
        return fmt::format("killed by signal {} ({})", WTERMSIG(status),
                           ::sigdescr_np(WTERMSIG(status)));
    if (WEXITSTATUS(status) != 0) return fmt::format("exit status {}", WEXITSTATUS(status));
    return {};
}

Fd Child::release() {
    pid_ = 0;
    return std::move(pidfd_);
}

void Child::kill() const {
    if (pid_ != 0) ::kill(pid_, SIGKILL);
}

}  // namespace sheaf

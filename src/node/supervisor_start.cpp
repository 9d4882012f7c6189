// How a machine in the background begins.

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>

#include "base/base64.h"
#include "base/boot_id.h"
#include "base/bytes.h"
#include "base/child.h"
#include "base/hex.h"
#include "node/supervisor.h"
#include "node/unix_socket.h"

namespace sheaf::node {

namespace {

constexpr int backlog = 64;

Result<std::string> make_cookie() {
    std::array<std::byte, 16> cookie{};
    // Of so few bytes the kernel gives all, or does not return.
    TRY(checked(static_cast<int>(::getrandom(cookie.data(), cookie.size(), 0)), "a cookie"));
    return to_hex(cookie);
}

Result<void> make_disk(const pool::Directory& folder, const PrivateDisk& disk) {
    const auto file = TRY(folder.open_file(disk.name, O_WRONLY | O_CREAT | O_EXCL));
    TRY(checked(::ftruncate(file.get(), static_cast<off_t>(disk.size)), "disk {}", disk.name));
    const auto bytes = as_bytes(disk.content);
    const auto count = ::pwrite(file.get(), bytes.data(), bytes.size(), 0);
    if (count != static_cast<ssize_t>(bytes.size()))
        return fail_os(count < 0 ? errno : ENOSPC, "disk {}", disk.name);
    return {};
}

// Nothing of this process's is open in the keeper but what it is handed.
Result<Child> start_keeper(const pool::Directory& folder, const Fd& listener) {
    const auto nothing = TRY(checked_fd(::open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null"));
    const auto log = TRY(folder.open_file(machine_folder::log, O_WRONLY | O_CREAT | O_APPEND));
    const auto handed = std::to_array<Child::Handed>({
        {folder.descriptor().get(), folder.descriptor().get()},
        {listener.get(), listener.get()},
        {nothing.get(), STDIN_FILENO},
        {nothing.get(), STDOUT_FILENO},
        {log.get(), STDERR_FILENO},
    });
    return Child::start(
        Child::same_program,
        {"sheaf", "keeper", "--directory", std::to_string(folder.descriptor().get()), "--control",
         std::to_string(listener.get())},
        handed, Child::Apart::session);
}

}  // namespace

std::string Supervisor::path_of_disk(const std::string& uid, const std::string& name) const {
    return fmt::format("{}/{}/{}/{}", directory_.path(), uid, machine_folder::disks, name);
}

io::Task<void> Supervisor::start(MachinePlan plan) {
    const auto uid = plan.file.uid;
    if (machines_.contains(uid)) co_await fail(Kind::exists, "machine {} is there already", uid);
    // Its place is taken before anything waits.
    auto& machine = *machines_.emplace(uid, std::make_unique<Machine>()).first->second;
    machine.known.uid = uid;
    machine.known.name = plan.file.name;
    machine.known.taps = plan.file.nets.size();
    const auto begin = [this, &plan] { return launch(std::move(plan)); };
    auto launched = co_await files_->call(begin).result();
    if (!launched) {
        machines_.erase(uid);
        co_await Failure{Error{launched.error()}};
    }
    machine.file = std::move(launched->file);
    machine.folder.emplace(std::move(launched->folder));
    machine.keeper_ended = std::move(launched->keeper_ended);
    logger_.info("a machine was started", {{"machine", machine.known.name}});
    following_.start(follow(machine));
}

Result<Supervisor::Launched> Supervisor::launch(MachinePlan plan) const {
    plan.file.cookie = TRY(make_cookie());
    plan.file.boot = TRY(boot_id());
    auto folder = TRY(directory_.make_below(plan.file.uid));
    auto launched = fill_and_launch(plan, std::move(folder));
    if (launched) return launched;
    // What cannot be removed now is known as nobody's at the next start.
    static_cast<void>(remove_cgroups(plan.file.cgroups));
    static_cast<void>(machine_folder::remove(directory_, plan.file.uid));
    return launched;
}

Result<Supervisor::Launched> Supervisor::fill_and_launch(MachinePlan& plan,
                                                         pool::Directory folder) const {
    if (!plan.disks.empty()) {
        const auto disks = TRY(folder.make_below(machine_folder::disks));
        for (const auto& disk : plan.disks) TRY(make_disk(disks, disk));
    }
    plan.file.cgroups = make_groups(plan);
    TRY(machine_folder::write(folder, plan.file));
    TRY(directory_.sync());
    const auto listener = TRY(listen_at("keeper's socket", machine_folder::socket_path(folder),
                                        backlog, SocketMode::owner));
    auto child = TRY(start_keeper(folder, listener));
    return Launched{std::move(plan.file), std::move(folder), child.release()};
}

// A host that refuses is said so once, and the machine runs without.
std::vector<std::string> Supervisor::make_groups(const MachinePlan& plan) const {
    const auto cgroups = Cgroups::find(Cgroups::this_host());
    auto groups = cgroups ? cgroups->make(plan.file.uid, plan.caps)
                          : Result<std::vector<std::string>>{Failure{cgroups.error()}};
    if (groups) return *std::move(groups);
    logger_.warning("a machine has no group of its own, and no caps",
                    {{"machine", plan.file.name}, {"reason", groups.error().text()}});
    return {};
}

}  // namespace sheaf::node

#include "node/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ranges>
#include <sstream>

#include "base/fd.h"

namespace sheaf::node {

namespace {

constexpr std::uint64_t period = 100'000;  // microseconds, over which processor time is shared out

std::string content_of(const std::string& path) {
    std::ifstream file{path};
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

std::vector<std::string> words_of(std::string_view line, char separator) {
    std::vector<std::string> words;
    for (const auto word : std::views::split(line, separator))
        words.emplace_back(word.begin(), word.end());
    return words;
}

bool has(std::string_view list, char separator, std::string_view word) {
    const auto words = words_of(list, separator);
    return std::ranges::find(words, word) != words.end();
}

// A mounted hierarchy: its directory, and what of it is mounted there.
struct Mount {
    std::string root;
    std::string directory;
};

// proc(5), /proc/pid/mountinfo: the file system's type and options come behind a dash.
std::optional<Mount> find_mount(const std::string& mounts, std::string_view type,
                                std::string_view controller) {
    for (const auto& line : words_of(mounts, '\n')) {
        const auto dash = line.find(" - ");
        if (dash == line.npos) continue;
        const auto before = words_of(line.substr(0, dash), ' ');
        const auto after = words_of(line.substr(dash + 3), ' ');
        if (before.size() < 5 || after.size() < 3 || after[0] != type) continue;
        if (controller.empty() || has(after[2], ',', controller))
            return Mount{before[3], before[4]};
    }
    return {};
}

// cgroups(7), /proc/pid/cgroup: hierarchy:controllers:path; version 2 has no controllers.
std::optional<std::string> find_membership(const std::string& membership,
                                           std::string_view controller) {
    for (const auto& line : words_of(membership, '\n')) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first == line.npos || second == line.npos) continue;
        const auto controllers = line.substr(first + 1, second - first - 1);
        if (controller.empty() ? controllers.empty() : has(controllers, ',', controller))
            return line.substr(second + 1);
    }
    return {};
}

// The directory of the group that this process is in.
std::optional<std::string> own_group(const Cgroups::Host& host, std::string_view type,
                                     std::string_view controller) {
    const auto mount = find_mount(host.mounts, type, controller);
    const auto path = find_membership(host.membership, controller);
    if (!mount || !path) return {};
    auto below = *path;
    if (mount->root != "/" && below.starts_with(mount->root)) below.erase(0, mount->root.size());
    while (below.ends_with('/')) below.pop_back();
    return mount->directory + below;
}

Result<void> write_file(const std::string& path, const std::string& text) {
    const auto file = TRY(checked_fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC), "{}", path));
    const auto count = ::write(file.get(), text.data(), text.size());
    if (count != static_cast<ssize_t>(text.size()))
        return fail_os(count < 0 ? errno : EIO, "writing \"{}\" to {}", text, path);
    return {};
}

bool has_one_thread() {
    std::error_code problem;
    const std::filesystem::directory_iterator threads{"/proc/self/task", problem};
    return !problem && std::distance(begin(threads), end(threads)) == 1;
}

Result<void> make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
    return fail_os(errno, "making {}", path);
}

}  // namespace

Cgroups::Host Cgroups::this_host() {
    return {content_of("/proc/self/mountinfo"), content_of("/proc/self/cgroup")};
}

Result<Cgroups> Cgroups::find(const Host& host) {
    const auto two = own_group(host, "cgroup2", "");
    const auto first_line = [](const std::string& text) { return text.substr(0, text.find('\n')); };
    if (two && has(first_line(content_of(*two + "/cgroup.controllers")), ' ', "cpu")) {
        // Beside the daemon's group: one that has processes may not divide what it has, and the
        // service manager starts the next daemon there. The root is an exception to both.
        const auto mount = find_mount(host.mounts, "cgroup2", "");
        const auto parent = *two == mount->directory ? *two : two->substr(0, two->rfind('/'));
        return Cgroups{Version::two, parent, parent};
    }
    const auto cpu = own_group(host, "cgroup", "cpu");
    const auto memory = own_group(host, "cgroup", "memory");
    if (!cpu || !memory)
        return fail(Kind::unavailable, "this host has no cgroups with cpu and memory");
    return Cgroups{Version::one, *cpu, *memory};
}

Result<std::vector<std::string>> Cgroups::make(const std::string& uid,
                                               const MachineCaps& caps) const {
    std::vector<std::string> groups{cpu_ + "/sheaf-" + uid};
    if (version_ == Version::one) groups.push_back(memory_ + "/sheaf-" + uid);
    auto made = Result<void>{};
    for (const auto& group : groups)
        if (made) made = make_directory(group);
    if (made) made = cap(groups, caps);
    if (made) return groups;
    static_cast<void>(remove_cgroups(groups));  // what is left then holds nobody
    return Failure{made.error()};
}

Result<void> Cgroups::cap(const std::vector<std::string>& groups, const MachineCaps& caps) const {
    const auto quota = caps.cpu ? *caps.cpu * period / 1000 : 0;
    if (version_ == Version::two) {
        if (caps.cpu || caps.memory)
            TRY(write_file(cpu_ + "/cgroup.subtree_control", "+cpu +memory"));
        if (caps.cpu) TRY(write_file(groups[0] + "/cpu.max", fmt::format("{} {}", quota, period)));
        if (caps.memory) TRY(write_file(groups[0] + "/memory.max", std::to_string(*caps.memory)));
        return {};
    }
    if (caps.cpu) {
        TRY(write_file(groups[0] + "/cpu.cfs_period_us", std::to_string(period)));
        TRY(write_file(groups[0] + "/cpu.cfs_quota_us", std::to_string(quota)));
    }
    if (caps.memory)
        TRY(write_file(groups[1] + "/memory.limit_in_bytes", std::to_string(*caps.memory)));
    return {};
}

// A thread of version 1 that moves itself alone holds up no other; to move a whole process, the
// kernel waits some ten milliseconds until nobody of the host forks or ends.
Result<void> join_cgroup(const std::string& directory) {
    const auto tasks = directory + "/tasks";
    if (has_one_thread() && ::access(tasks.c_str(), F_OK) == 0) return write_file(tasks, "0");
    return write_file(directory + "/cgroup.procs", std::to_string(::getpid()));
}

Result<void> remove_cgroups(const std::vector<std::string>& directories) {
    for (const auto& directory : directories) {
        if (::rmdir(directory.c_str()) == 0 || errno == ENOENT) continue;
        if (errno == EBUSY) return fail(Kind::conflict, "{}: there are processes in it", directory);
        return fail_os(errno, "removing {}", directory);
    }
    return {};
}

}  // namespace sheaf::node

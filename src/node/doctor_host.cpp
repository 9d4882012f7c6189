#include <fcntl.h>
#include <liburing.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/fd.h"
#include "base/units.h"
#include "node/doctor_probes.h"

namespace sheaf::node {

namespace {

// The whole of a small file under /proc or /sys; empty where it cannot be read.
std::string content_of(const char* path) {
    auto text = std::stringstream{};
    text << std::ifstream{path}.rdbuf();
    return std::move(text).str();
}

// The number behind "name:" of /proc/meminfo, in bytes; 0 where there is none.
std::uint64_t meminfo(std::string_view text, std::string_view name) {
    const auto at = text.find(std::string{name} + ":");
    if (at == std::string_view::npos) return 0;
    const auto* number = text.data() + at + name.size() + 1;
    return std::strtoull(number, nullptr, 10) * 1_KiB;
}

constexpr std::uint64_t in_mib(std::uint64_t bytes) {
    return bytes / 1_MiB;
}

std::string limit_text(rlim_t limit) {
    return limit == RLIM_INFINITY ? "unlimited" : std::to_string(limit);
}

// Whether files in the directory can be read and written without the page cache.
Result<void> try_direct(const std::string& directory) {
    constexpr int flags = O_RDWR | O_TMPFILE | O_DIRECT | O_CLOEXEC;
    TRY(checked_fd(::open(directory.c_str(), flags, 0600), "O_DIRECT in {}", directory));
    return {};
}

}  // namespace

void examine_kernel(Findings& findings) {
    auto name = utsname{};
    ::uname(&name);
    auto finding =
        Finding{.topic = "kernel",
                .detail = fmt::format("{} {} {}", name.sysname, name.release, name.machine)};
    char* rest = nullptr;
    const auto major = std::strtoul(name.release, &rest, 10);
    const auto minor = *rest == '.' ? std::strtoul(rest + 1, nullptr, 10) : 0;
    if (major < 5 || (major == 5 && minor < 10)) {
        finding.health = Health::degraded;
        finding.detail += ": older than what Sheaf is tested with";
        finding.remedy = "use Linux 5.10 or later";
    }
    findings.push_back(std::move(finding));
}

void examine_io_uring(Findings& findings) {
    auto finding = Finding{.topic = "io_uring", .detail = "disks and cards use it"};
    auto ring = io_uring{};
    const int result = ::io_uring_queue_init(8, &ring, 0);
    if (result < 0) {
        finding.health = Health::degraded;
        finding.detail =
            Error::from_os(-result, "absent").text() + "; a pool of threads does its work, slower";
        finding.remedy =
            "sysctl kernel.io_uring_disabled=0; in a container, allow the io_uring system calls";
    } else {
        ::io_uring_queue_exit(&ring);
    }
    findings.push_back(std::move(finding));
}

void examine_cgroups(Findings& findings) {
    const auto mounts = content_of("/proc/self/mountinfo");
    const bool v1 = mounts.contains(" - cgroup ");
    const bool v2 = mounts.contains(" - cgroup2 ");
    auto controllers = content_of("/sys/fs/cgroup/cgroup.controllers");
    std::erase(controllers, '\n');
    auto finding = Finding{.topic = "cgroups"};
    if (v2 && !controllers.empty()) {
        finding.detail = "version 2: " + controllers;
    } else if (v1 || v2) {
        finding.health = Health::degraded;
        finding.detail = fmt::format("{}: limits of a machine are set through version 1 only",
                                     v1 && v2 ? "hybrid"
                                     : v1     ? "version 1"
                                              : "no controllers");
        finding.remedy = "boot the host with systemd.unified_cgroup_hierarchy=1";
    } else {
        finding.health = Health::missing;
        finding.detail = "not mounted: machines cannot be limited";
        finding.remedy = "mount -t cgroup2 none /sys/fs/cgroup";
    }
    findings.push_back(std::move(finding));
}

void examine_memory(Findings& findings) {
    constexpr std::uint64_t comfortable = 512_MiB;
    const auto text = content_of("/proc/meminfo");
    const auto available = meminfo(text, "MemAvailable");
    auto memory = Finding{.topic = "memory",
                          .detail = fmt::format("{} MiB of {} MiB available", in_mib(available),
                                                in_mib(meminfo(text, "MemTotal")))};
    if (available < comfortable) {
        memory.health = Health::degraded;
        memory.remedy = "free some memory, or give machines less than that";
    }
    findings.push_back(std::move(memory));

    const auto transparent = content_of("/sys/kernel/mm/transparent_hugepage/enabled");
    const auto reserved =
        std::strtoull(content_of("/proc/sys/vm/nr_hugepages").c_str(), nullptr, 10);
    auto huge =
        Finding{.topic = "huge pages", .detail = fmt::format("transparent, {} reserved", reserved)};
    if (!transparent.contains("[always]") && !transparent.contains("[madvise]")) {
        huge.health = Health::degraded;
        huge.detail = fmt::format("not transparent, {} reserved: memory access in guests is slower",
                                  reserved);
        huge.remedy = "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled";
    }
    findings.push_back(std::move(huge));
}

void examine_disk(Findings& findings, const std::string& directory) {
    constexpr std::uint64_t comfortable = 1_GiB;
    struct statvfs status = {};
    auto disk = Finding{.topic = "disk"};
    if (::statvfs(directory.c_str(), &status) != 0) {
        disk.health = Health::missing;
        disk.detail = Error::from_os(errno, directory).text();
        disk.remedy = "run sheaf doctor in the directory where disks will be";
        findings.push_back(std::move(disk));
        return;
    }
    const auto free = std::uint64_t{status.f_bavail} * status.f_frsize;
    disk.detail = fmt::format("{} MiB free in {}", in_mib(free), directory);
    if (free < comfortable) {
        disk.health = Health::degraded;
        disk.remedy = "free some space, or keep disks elsewhere";
    }
    findings.push_back(std::move(disk));

    auto direct = Finding{.topic = "direct I/O", .detail = "disks bypass the page cache"};
    if (const auto tried = try_direct(directory); !tried) {
        direct.health = Health::degraded;
        direct.detail = tried.error().text() + ": disks here would go through the page cache";
        direct.remedy = "keep disks in a writable directory on ext4, xfs or btrfs";
    }
    findings.push_back(std::move(direct));
}

void examine_limits(Findings& findings) {
    constexpr rlim_t enough_files = 4096;
    constexpr rlim_t enough_locked = 64_MiB;
    auto files = rlimit{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    auto open_files = Finding{.topic = "open files",
                              .detail = fmt::format("up to {}", limit_text(files.rlim_max))};
    if (files.rlim_max < enough_files) {
        open_files.health = Health::degraded;
        open_files.detail += ": machines with many disks and queues may not start";
        open_files.remedy = "raise the hard limit: ulimit -Hn 65536, or LimitNOFILE= of the unit";
    }
    findings.push_back(std::move(open_files));

    auto locked = rlimit{};
    ::getrlimit(RLIMIT_MEMLOCK, &locked);
    auto memory = Finding{.topic = "locked memory",
                          .detail = fmt::format("up to {} bytes", limit_text(locked.rlim_max))};
    if (locked.rlim_max < enough_locked) {
        memory.health = Health::degraded;
        memory.detail += ": fewer buffers are registered with io_uring";
        memory.remedy = "raise the hard limit: ulimit -Hl unlimited, or LimitMEMLOCK= of the unit";
    }
    findings.push_back(std::move(memory));
}

}  // namespace sheaf::node

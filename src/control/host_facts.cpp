#include "control/host_facts.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "base/fd.h"

namespace sheaf::control {

namespace {

// The beginning of a small file; empty where it cannot be read.
std::string beginning_of(const char* path) {
    const Fd file{::open(path, O_RDONLY | O_CLOEXEC)};
    std::string text(4096, '\0');
    const auto count = file ? ::read(file.get(), text.data(), text.size()) : -1;
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
}

std::string line_of(const char* path) {
    auto text = beginning_of(path);
    text.resize(std::min(text.size(), text.find('\n')));
    return text;
}

// "MemTotal:       16303428 kB" as bytes; 0 where there is no such line.
std::uint64_t meminfo(std::string_view text, std::string_view name) {
    const auto line = text.find(name);
    if (line == text.npos) return 0;
    const auto digit = text.find_first_of("0123456789", line);
    std::uint64_t kibibytes = 0;
    if (digit != text.npos)
        std::from_chars(text.data() + digit, text.data() + text.size(), kibibytes);
    return kibibytes << 10;
}

std::string system_name() {
    const auto text = beginning_of("/etc/os-release");
    constexpr std::string_view name = "PRETTY_NAME=\"";
    const auto begin = text.find(name);
    if (begin == text.npos) return "Linux";
    const auto first = begin + name.size();
    return text.substr(first, text.find('"', first) - first);
}

unsigned usable_processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
    return static_cast<unsigned>(CPU_COUNT(&set));
}

}  // namespace

std::string object_name_of(std::string host) {
    for (auto& letter : host) {
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
        const bool fits = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
                          letter == '-' || letter == '.';
        if (!fits) letter = '-';
    }
    const auto first = host.find_first_not_of("-.");
    if (first == host.npos) return "localhost";
    host.erase(0, first);
    host.erase(host.find_last_not_of("-.") + 1);
    // Between points there is something that begins and ends with a letter or a digit.
    for (const auto* wrong : {"..", "-.", ".-"})
        for (auto at = host.find(wrong); at != host.npos; at = host.find(wrong))
            host.replace(at, 2, "-");
    return host;
}

HostFacts look_at_host(const std::string& state_directory) {
    HostFacts facts;
    utsname names{};
    if (::uname(&names) == 0) {
        facts.name = object_name_of(names.nodename);
        facts.kernel = names.release;
        facts.architecture = names.machine;
    }
    facts.system = system_name();
    facts.boot = line_of("/proc/sys/kernel/random/boot_id");
    facts.machine = line_of("/etc/machine-id");
    facts.processors = usable_processors();
    const auto memory = beginning_of("/proc/meminfo");
    facts.memory = meminfo(memory, "MemTotal:");
    facts.available_memory = meminfo(memory, "MemAvailable:");
    struct statvfs status{};
    if (::statvfs(state_directory.c_str(), &status) == 0) {
        facts.space = status.f_blocks * status.f_frsize;
        facts.free_space = status.f_bavail * status.f_frsize;
    }
    facts.kvm = ::access("/dev/kvm", R_OK | W_OK) == 0;
    return facts;
}

}  // namespace sheaf::control

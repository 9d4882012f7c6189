#include "api/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <vector>

#include <fmt/core.h>

#include "api/small_file.h"

namespace sheaf::api {

namespace {

void add(std::string& text, std::string_view name, std::string_view type, std::string_view help,
         std::string_view value) {
    text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(" \n"), text.size());
        if (end > 0) words.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

std::uint64_t number(std::string_view word) {
    std::uint64_t value = 0;
    std::from_chars(word.data(), word.data() + word.size(), value);
    return value;
}

// proc(5), stat: the fields behind the name, which may have spaces; the first is the third.
void add_start(std::string& text) {
    const auto stat = read_small_file("/proc/self/stat");
    const auto system = read_small_file("/proc/stat");
    if (!stat || !system) return;
    const auto words = words_of(std::string_view{*stat}.substr(stat->rfind(')') + 1));
    const auto place = system->find("\nbtime ");
    if (words.size() < 20 || place == system->npos) return;
    const auto boot = number(std::string_view{*system}.substr(place + 7));
    const auto start = static_cast<double>(boot) + static_cast<double>(number(words[19])) /
                                                       static_cast<double>(::sysconf(_SC_CLK_TCK));
    add(text, "process_start_time_seconds", "gauge", "Start of the process since 1970, in seconds.",
        fmt::format("{:.2f}", start));
}

void add_memory(std::string& text) {
    const auto statm = read_small_file("/proc/self/statm");
    if (!statm) return;
    const auto words = words_of(*statm);
    if (words.size() < 2) return;
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    add(text, "process_virtual_memory_bytes", "gauge", "Address space of the process.",
        fmt::format("{}", number(words[0]) * page));
    add(text, "process_resident_memory_bytes", "gauge", "Memory that the process has.",
        fmt::format("{}", number(words[1]) * page));
}

void add_descriptors(std::string& text) {
    std::error_code error;
    const std::filesystem::directory_iterator open{"/proc/self/fd", error};
    if (error) return;
    add(text, "process_open_fds", "gauge", "Descriptors that are open.",
        fmt::format("{}", std::distance(begin(open), end(open))));
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    add(text, "process_max_fds", "gauge", "Descriptors that may be open.",
        fmt::format("{}", limit.rlim_cur));
}

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

std::string process_metrics() {
    std::string text;
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) == 0)
        add(text, "process_cpu_seconds_total", "counter", "CPU time of the process.",
            fmt::format("{:.6f}", seconds(usage.ru_utime) + seconds(usage.ru_stime)));
    add_memory(text);
    add_descriptors(text);
    add_start(text);
    return text;
}

}  // namespace sheaf::api

#include "control/watchdog.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "control/notify.h"

namespace sheaf::control {

namespace {

std::uint64_t number_of(const char* word) {
    const std::string_view text{word ? word : ""};
    std::uint64_t number = 0;
    const auto* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number);
    return error == std::errc{} && end == last ? number : 0;
}

// The time that the manager waits; none where it does not, or means another process.
std::optional<io::Duration> watchdog_time(const char* microseconds, const char* process) {
    constexpr std::uint64_t day = 24ULL * 3600 * 1'000'000;
    const auto number = number_of(microseconds);
    if (number == 0 || number > day) return {};
    if (process && number_of(process) != static_cast<std::uint64_t>(::getpid())) return {};
    return std::chrono::microseconds{number};
}

}  // namespace

io::Task<void> keep_watchdog(io::Loop& loop) {
    const auto time = watchdog_time(std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID"));
    while (time) {
        notify("WATCHDOG=1");
        co_await loop.sleep(*time / 2);
    }
}

}  // namespace sheaf::control

#include "node/exit_report.h"

#include <array>
#include <chrono>
#include <ctime>
#include <utility>

namespace sheaf::node {

namespace {

using How = vmm::Ending::How;

constexpr auto words = std::to_array<std::pair<How, std::string_view>>({
    {How::powered_off, "powered_off"},
    {How::reset, "reset"},
    {How::panicked, "panicked"},
    {How::triple_faulted, "triple_faulted"},
    {How::forced_off, "forced_off"},
    {How::failed, "failed"},
});

}  // namespace

std::string_view to_string(How how) {
    for (const auto& [value, word] : words)
        if (value == how) return word;
    return "failed";
}

Result<How> parse_how(std::string_view word) {
    for (const auto& [value, name] : words)
        if (name == word) return value;
    return fail(Kind::invalid, "unknown ending \"{}\"", word);
}

ExitCode exit_code_of(How how) {
    switch (how) {
        case How::powered_off:
        case How::reset: return ExitCode::powered_off;
        case How::panicked:
        case How::triple_faulted: return ExitCode::crashed;
        case How::forced_off: return ExitCode::forced_off;
        case How::failed: return ExitCode::internal;
    }
    return ExitCode::internal;
}

ExitCode exit_code_of(Kind kind) {
    switch (kind) {
        case Kind::invalid:
        case Kind::not_found:
        case Kind::exists:
        case Kind::conflict:
        case Kind::denied:
        case Kind::corrupt:
        case Kind::unsupported: return ExitCode::bad_input;
        case Kind::exhausted:
        case Kind::unavailable: return ExitCode::host_cannot;
        case Kind::timed_out:
        case Kind::cancelled:
        case Kind::io: return ExitCode::internal;
    }
    return ExitCode::internal;
}

std::string timestamp_now() {
    const auto seconds = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    auto parts = std::tm{};
    ::gmtime_r(&seconds, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace sheaf::node

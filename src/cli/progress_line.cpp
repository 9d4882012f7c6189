#include "cli/progress_line.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace sheaf::cli {

namespace {

constexpr auto to_line_start_and_clear = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)), terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
    if (began_) std::fputs(to_line_start_and_clear, stderr);
}

void ProgressLine::progressed(const pool::ControlProgress& progress) {
    if (!terminal_ || progress.total == 0) return;
    const auto share = static_cast<double>(progress.done) / static_cast<double>(progress.total);
    const auto now = static_cast<unsigned>(std::clamp(share, 0.0, 1.0) * 1000);
    if (began_ && now == shown_) return;
    began_ = true;
    shown_ = now;
    std::fputs(
        fmt::format("{}{}: {}.{} %", to_line_start_and_clear, what_, now / 10, now % 10).c_str(),
        stderr);
    std::fflush(stderr);
}

}  // namespace sheaf::cli

#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/output.h"

namespace sheaf::cli {

namespace {

constexpr auto interval = std::chrono::milliseconds{200};
constexpr std::string_view clear_line = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
    if (shown_) std::fwrite(clear_line.data(), 1, clear_line.size(), stderr);
}

void ProgressLine::show(std::string_view doing, std::uint64_t done, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (!terminal_ || now < next_) return;
    next_ = now + interval;
    shown_ = true;
    const auto text = fmt::format("{}{}", clear_line, progress_text(doing, done, total));
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}

std::string progress_text(std::string_view doing, std::uint64_t done, std::uint64_t total) {
    if (total == 0) return fmt::format("{} {}", doing, human_size(done));
    const auto part = std::min(done, total);
    const auto percent = static_cast<double>(part) * 100 / static_cast<double>(total);
    return fmt::format("{} {} of {} ({:.0f} %)", doing, human_size(part), human_size(total),
                       percent);
}

}  // namespace sheaf::cli

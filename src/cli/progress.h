#pragma once

// Why: work that takes minutes says how far it is, to whoever looks: on a
// terminal, and nowhere else.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sheaf::cli {

// One line on the standard error, written again a few times a second and
// removed at the end.
class ProgressLine {
  public:
    ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    ~ProgressLine();

    void show(std::string_view doing, std::uint64_t done, std::uint64_t total);

  private:
    bool terminal_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point next_{};
};

// "copying 1.2 GiB of 4 GiB (30 %)"; a total of zero is one that nobody knows.
std::string progress_text(std::string_view doing, std::uint64_t done, std::uint64_t total);

}  // namespace sheaf::cli

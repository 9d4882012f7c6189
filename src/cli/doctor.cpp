#include "node/doctor.h"

#include <array>
#include <cstdio>
#include <filesystem>

#include "base/json.h"
#include "cli/verbs.h"
#include "node/exit_report.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"json", "", "print one JSON object instead of lines"},
});

int doctor_main(std::span<char*> arguments) {
    const auto parsed = arguments_or_exit(doctor_verb, arguments);
    if (!parsed) return parsed.error();
    auto failure = std::error_code{};
    const auto report = node::examine(std::filesystem::current_path(failure).string());
    const auto text = parsed->has("json") ? encode(report) + "\n" : node::as_text(report);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return static_cast<int>(report.can_run ? node::ExitCode::powered_off
                                           : node::ExitCode::host_cannot);
}

}  // namespace

constinit const Verb doctor_verb = {
    .name = "doctor",
    .summary = "say what this host can do for virtual machines, and what would help",
    .options = options,
    .details =
        "Each line is ok, degraded or missing, with the remedy under it. The exit code is 0\n"
        "when a virtual machine can run and 69 when none can. Run it where the disks will be,\n"
        "as the user who will run the machines. It leaves nothing behind.",
    .example = "sheaf doctor --json | jq .kvm.ring0",
    .main = doctor_main,
};

}  // namespace sheaf::cli

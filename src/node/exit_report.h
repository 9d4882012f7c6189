#pragma once

// Why: how a virtual machine ended, as the exit code that scripts read and the report that people
// do.

#include <optional>
#include <string>

#include <boost/describe.hpp>

#include "base/result.h"
#include "node/balloon_report.h"
#include "vmm/ending.h"

namespace sheaf::node {

// sysexits.h where it has a word for it.
enum class ExitCode : int {
    powered_off = 0,  // or rebooted with --on-reboot exit
    crashed = 1,      // guest panicked or triple-faulted
    forced_off = 2,
    usage = 64,
    bad_input = 65,
    host_cannot = 69,
    internal = 70,
};

struct ExitReport {
    std::string how;  // as in docs/formats/vmm-control.md, or "refused"
    int exit_code = 0;
    std::string detail;
    std::string started_at;  // RFC 3339, UTC
    std::string ended_at;
    unsigned reboots = 0;
    std::string console;  // the last lines the guest printed; after a crash the last 64 KiB
    std::optional<BalloonReport> balloon;  // since the last reboot; none without --balloon
};
BOOST_DESCRIBE_STRUCT(ExitReport, (),
                      (how, exit_code, detail, started_at, ended_at, reboots, console, balloon))

// The word of docs/formats/vmm-control.md, and back (Kind::invalid for another word).
std::string_view to_string(vmm::Ending::How how);
Result<vmm::Ending::How> parse_how(std::string_view word);

ExitCode exit_code_of(vmm::Ending::How how);

// What a refusal to build or open something means to the shell: bad input, or a host that cannot.
ExitCode exit_code_of(Kind kind);

// The current time as the report writes it.
std::string timestamp_now();

}  // namespace sheaf::node

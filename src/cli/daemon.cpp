#include "control/daemon.h"

#include <unistd.h>

#include <array>

#include "cli/pool_verb.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"state-dir", "DIR", "where the objects are kept (default: /var/lib/sheaf)"},
    {"socket", "PATH", "where the API listens (default: /run/sheaf/api.sock)"},
});

Result<void> serve(const Arguments& arguments) {
    const control::DaemonOptions wanted{TRY(arguments.one("state-dir", "/var/lib/sheaf")),
                                        TRY(arguments.one("socket", "/run/sheaf/api.sock"))};
    const Logger logger{STDERR_FILENO, LogLevel::info};
    return control::run_daemon(wanted, logger);
}

int daemon_main(std::span<char*> arguments) {
    return main_of(daemon_verb, arguments, serve);
}

}  // namespace

constinit const Verb daemon_verb = {
    .name = "daemon",
    .summary = "keep the objects of this node, and serve the Kubernetes-shaped API",
    .options = options,
    .details =
        "Serves until SIGTERM or SIGINT; then who is being answered hears the end of it. The "
        "socket\n"
        "is for its owner and root alone. Volumes, images, snapshots, networks and machines "
        "become\n"
        "what their objects say; volumes are in the pool DIR/pool of the state directory. "
        "Machines\n"
        "go on when the daemon ends, and the next one finds them.",
    .example = "sheaf daemon --state-dir /var/lib/sheaf --socket /run/sheaf/api.sock",
    .main = daemon_main,
};

}  // namespace sheaf::cli

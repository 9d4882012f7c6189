#include "control/daemon.h"

#include <unistd.h>

#include <array>

#include "cli/pool_verb.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"state-dir", "DIR", "where the objects are kept (default: /var/lib/sheaf)"},
    {"socket", "PATH", "where the API listens (default: /run/sheaf/api.sock)"},
    {"listen", "ADDR:PORT", "where it listens with TLS, or none (default: 127.0.0.1:6444)"},
});

Result<control::DaemonOptions> wanted_by(const Arguments& arguments) {
    control::DaemonOptions wanted{TRY(arguments.one("state-dir", "/var/lib/sheaf")),
                                  TRY(arguments.one("socket", "/run/sheaf/api.sock")),
                                  TRY(arguments.one("listen", "127.0.0.1:6444"))};
    if (wanted.listen == "none") wanted.listen.clear();
    return wanted;
}

Result<void> prepare(const Arguments& arguments) {
    return control::prepare_state(TRY(wanted_by(arguments)));
}

int init_main(std::span<char*> arguments) {
    return main_of(daemon_init_verb, arguments, prepare);
}

Result<void> serve(const Arguments& arguments) {
    const auto wanted = TRY(wanted_by(arguments));
    const Logger logger{STDERR_FILENO, LogLevel::info};
    return control::run_daemon(wanted, logger);
}

int daemon_main(std::span<char*> arguments) {
    return main_of(daemon_verb, arguments, serve);
}

constexpr auto sub_verbs = std::to_array<const Verb*>({&daemon_init_verb});

}  // namespace

constinit const Verb daemon_init_verb = {
    .name = "daemon init",
    .summary = "make what the daemon makes at its first start: directory and certificates",
    .options = options,
    .details =
        "What is there stays, but for certificates that end soon or lack the address of --listen.",
    .example = "sheaf daemon init --listen 192.0.2.7:6444",
    .main = init_main,
};

constinit const Verb daemon_verb = {
    .name = "daemon",
    .summary = "keep the objects of this node, and serve the Kubernetes-shaped API",
    .options = options,
    .details =
        "Serves until SIGTERM or SIGINT; then who is being answered hears the end of it. The "
        "socket\n"
        "is for root, its owner and the group sheaf; the group sheaf-readonly may look. With TLS "
        "a\n"
        "certificate or a token says who asks: sheaf kubeconfig makes a file for kubectl. "
        "Volumes,\n"
        "images, snapshots, networks and machines become what their objects say; volumes are in "
        "the\n"
        "pool DIR/pool of the state directory. Machines go on when the daemon ends, and the next "
        "one\n"
        "finds them.",
    .example = "sheaf daemon --state-dir /var/lib/sheaf --socket /run/sheaf/api.sock",
    .main = daemon_main,
    .operands = {},
    .verbs = sub_verbs,
};

}  // namespace sheaf::cli

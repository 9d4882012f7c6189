#pragma once

// Why: the one process of a node that keeps its objects and answers for them: store, API, and what
// keeps both in order, from its start to SIGTERM.

#include <string>

#include "base/log.h"
#include "base/result.h"

namespace sheaf::control {

struct DaemonOptions {
    std::string state_directory;  // made where it is not there; its parent is not
    std::string socket;           // path, for the API
    std::string listen;           // for the API over TLS: "127.0.0.1:6444"; empty: nowhere
};

// What run_daemon() makes at its first start, without serving: the directory, and the certificates
// for where it will listen. Fails with conflict where a daemon has the directory.
Result<void> prepare_state(const DaemonOptions& options);

// Takes SIGTERM, SIGINT and SIGHUP over: call it before any thread exists. Returns after an orderly
// end. Fails with conflict where another daemon has the directory or the socket, else with what the
// host could not do.
Result<void> run_daemon(const DaemonOptions& options, const Logger& logger);

}  // namespace sheaf::control

#pragma once

// Why: programs of the host reach a machine by sockets that have a path; every part of a machine
// that offers one makes it the same way.

#include <string>
#include <string_view>

#include "base/fd.h"

namespace sheaf::node {

// Who may connect, as permission bits under the user's mask.
enum class SocketMode : unsigned { everybody = 0777, owner = 0600 };

// A listening stream socket at `path`, which the caller removes. `what` names it in errors: invalid
// for a path of no or too many bytes, conflict where it exists, else the system's.
Result<Fd> listen_at(std::string_view what, const std::string& path, int backlog,
                     SocketMode mode = SocketMode::everybody);

// The same, where a socket at which nobody listens any more gives way: one that a killed process
// has left. Any other file stays and is exists; conflict where somebody listens.
Result<Fd> listen_anew_at(std::string_view what, const std::string& path, int backlog,
                          SocketMode mode = SocketMode::everybody);

// Connects without waiting: a program whose backlog is full refuses.
Result<Fd> connect_to(const std::string& path);

}  // namespace sheaf::node

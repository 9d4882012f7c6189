#pragma once

// Why: a service manager that started the daemon waits to hear that it is ready.

#include <string_view>

namespace sheaf::control {

// Sends "READY=1" or another state to the socket that NOTIFY_SOCKET names, as sd_notify(3) says.
// Nothing where nobody waits; who does not hear it is not waited for.
void notify(std::string_view state);

}  // namespace sheaf::control

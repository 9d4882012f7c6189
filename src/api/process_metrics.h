#pragma once

// Why: every program that Prometheus reads says what it takes of the host, under the names that its
// dashboards know.

#include <string>

namespace sheaf::api {

// CPU time, memory, descriptors and start of this process, as Prometheus' text. Reads /proc, whose
// kernel side never waits; what it does not tell is left out.
std::string process_metrics();

}  // namespace sheaf::api

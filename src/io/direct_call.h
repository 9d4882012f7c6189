#pragma once

// Why: the plain system call behind each request, for the loops and worker threads that make it
// themselves. Results are as an Operation gets them: the value, or -errno.

#include "io/operation.h"

namespace sheaf::io {

// Makes the call and waits as long as it takes. For read, write, fdatasync, fallocate and connect.
int call_and_wait(const Request& request);

// Makes the call where it does not have to wait: -EAGAIN otherwise. For reads and writes without
// offset, accept, connect, send, recv and poll. A connect that is under way is -EINPROGRESS.
int call_without_waiting(const Request& request);

// How a connect that was under way has ended, once its descriptor is writable.
int outcome_of_connect(int fd);

// Whether such a request can be retried when poll says that its descriptor is ready, and the events
// to ask poll for. A request with an offset, or told not to wait, is never waited for.
bool waits_for_readiness(const Request& request);
unsigned readiness_events(const Request& request);

}  // namespace sheaf::io

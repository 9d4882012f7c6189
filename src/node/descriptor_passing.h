#pragma once

// Why: a process that opens nothing is handed what it needs: an open descriptor beside a packet
// that is one number (unix(7), SCM_RIGHTS).

#include <cstdint>
#include <optional>

#include "base/fd.h"

namespace sheaf::node {

// Sends one packet now, with a copy of a descriptor unless `descriptor` is -1.
Result<void> send_with_descriptor(int socket, std::uint32_t number, int descriptor);

struct PassedDescriptor {
    std::uint32_t number = 0;
    Fd descriptor;  // close-on-exec; none where none was sent
};

// Takes the packet that is there; none once the other end has closed. Fails with corrupt where it
// is not one number.
Result<std::optional<PassedDescriptor>> receive_with_descriptor(int socket);

}  // namespace sheaf::node

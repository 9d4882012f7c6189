#include "io/sim_placeholder.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>

namespace sheaf::io {

Result<SimPlaceholder> SimPlaceholder::create() {
    auto ends = std::array<int, 2>{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) < 0)
        return fail_os(errno, "creating a simulated descriptor");
    return SimPlaceholder{Fd{ends[0]}, Fd{ends[1]}};
}

bool SimPlaceholder::closed() const {
    auto descriptor = pollfd{.fd = kept.get(), .events = 0, .revents = 0};
    return ::poll(&descriptor, 1, 0) > 0 && descriptor.revents & POLLHUP;
}

}  // namespace sheaf::io

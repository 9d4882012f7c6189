#include "control/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <bit>
#include <cstdlib>
#include <cstring>

#include "base/fd.h"

namespace sheaf::control {

void notify(std::string_view state) {
    const char* named = std::getenv("NOTIFY_SOCKET");
    const auto path = std::string_view{named ? named : ""};
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    if (path.empty() || path.size() >= sizeof(address.sun_path)) return;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path.front() == '@') address.sun_path[0] = '\0';  // an abstract one
    const Fd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    static_cast<void>(::sendto(socket.get(), state.data(), state.size(),
                               MSG_NOSIGNAL | MSG_DONTWAIT,
                               std::bit_cast<const sockaddr*>(&address), length));
}

}  // namespace sheaf::control

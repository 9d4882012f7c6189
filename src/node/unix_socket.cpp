#include "node/unix_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace sheaf::node {

namespace {

Result<sockaddr_un> address_of(std::string_view what, const std::string& path) {
    auto address = sockaddr_un{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path))
        return fail(Kind::invalid, "{} \"{}\": a path of 1 to {} bytes is needed", what, path,
                    sizeof(address.sun_path) - 1);
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

const sockaddr* generic(const sockaddr_un& address) {
    const void* bytes = &address;
    return static_cast<const sockaddr*>(bytes);
}

Result<Fd> stream_socket(int flags) {
    return checked_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "making a socket");
}

// Whether who listens at the other end has ended: the kernel takes down the ring of a killed
// process some time after the process, and until then its sockets take connections that nobody
// answers.
bool listener_has_ended(int connected) {
    ucred who{};
    socklen_t size = sizeof(who);
    if (::getsockopt(connected, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || who.pid <= 0)
        return false;
    const auto process =
        checked_fd(static_cast<int>(::syscall(SYS_pidfd_open, who.pid, 0)), "looking at a process");
    if (!process) return process.error().os_error() == ESRCH;
    pollfd end{process->get(), POLLIN, 0};
    return ::poll(&end, 1, 0) == 1;
}

}  // namespace

Result<Fd> listen_at(std::string_view what, const std::string& path, int backlog, SocketMode mode) {
    const auto address = TRY(address_of(what, path));
    auto listener = TRY(stream_socket(0));
    // The path gets the mode of its socket: there is no moment at which others may connect.
    TRY(checked(::fchmod(listener.get(), std::to_underlying(mode)), "{} {}", what, path));
    TRY(checked(::bind(listener.get(), generic(address), sizeof(address)), "{} {}", what, path));
    if (const auto listening = checked(::listen(listener.get(), backlog), "{} {}", what, path);
        !listening) {
        ::unlink(path.c_str());
        return Failure{listening.error()};
    }
    return listener;
}

Result<Fd> listen_anew_at(std::string_view what, const std::string& path, int backlog,
                          SocketMode mode) {
    auto listener = listen_at(what, path, backlog, mode);
    if (listener || listener.error().os_error() != EADDRINUSE) return listener;
    struct stat status{};
    TRY(checked(::lstat(path.c_str(), &status), "{} {}", what, path));
    if (!S_ISSOCK(status.st_mode))
        return fail(Kind::exists, "{} {}: there is a file of that name", what, path);
    const auto other = connect_to(path);
    const auto left =
        other ? listener_has_ended(other->get()) : other.error().os_error() == ECONNREFUSED;
    if (!left) return fail(Kind::conflict, "{} {}: somebody listens there", what, path);
    TRY(checked(::unlink(path.c_str()), "{} {}", what, path));
    return listen_at(what, path, backlog, mode);
}

Result<Fd> connect_to(const std::string& path) {
    const auto address = TRY(address_of("socket", path));
    auto socket = TRY(stream_socket(SOCK_NONBLOCK));
    TRY(checked(::connect(socket.get(), generic(address), sizeof(address)), "connecting to {}",
                path));
    return socket;
}

}  // namespace sheaf::node

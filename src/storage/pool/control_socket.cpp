#include "storage/pool/control_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace sheaf::pool {

namespace {

constexpr std::string_view socket_name = "control";
constexpr int backlog = 64;

sockaddr_un address_in(const Directory& volume) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    fmt::format_to_n(address.sun_path, sizeof(address.sun_path) - 1, "/proc/self/fd/{}/{}",
                     volume.descriptor().get(), socket_name);
    return address;
}

const sockaddr* generic(const sockaddr_un& address) {
    const void* bytes = &address;
    return static_cast<const sockaddr*>(bytes);
}

Result<Fd> make_socket() {
    return checked_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "making a control socket");
}

}  // namespace

Result<Fd> listen_for_control(const Directory& volume) {
    TRY(remove_control(volume));
    const auto address = address_in(volume);
    const auto path = volume.path_of(socket_name);
    auto listener = TRY(make_socket());
    // The mode of the socket's file is that of the socket before it is bound.
    TRY(checked(::fchmod(listener.get(), 0600), "{}", path));
    TRY(checked(::bind(listener.get(), generic(address), sizeof(address)), "{}", path));
    TRY(checked(::listen(listener.get(), backlog), "{}", path));
    return listener;
}

Result<void> remove_control(const Directory& volume) {
    return volume.remove_file(socket_name);
}

Result<Fd> connect_to_control(const Directory& volume) {
    const auto address = address_in(volume);
    auto socket = TRY(make_socket());
    TRY(checked(::connect(socket.get(), generic(address), sizeof(address)), "{}",
                volume.path_of(socket_name)));
    return socket;
}

}  // namespace sheaf::pool

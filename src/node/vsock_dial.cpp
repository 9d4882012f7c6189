#include "node/vsock_dial.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>

#include "node/descriptor_passing.h"
#include "node/unix_socket.h"

namespace sheaf::node {

namespace {

constexpr std::size_t longest_port = sizeof("_4294967295") - 1;
constexpr int backlog = 64;

}  // namespace

// A request is the port, beside one end of a pair on which the answer comes: 0 and the socket, or
// the system's error.
io::Task<Fd> VsockDial::dial(std::uint32_t port) {
    auto ends = std::array<int, 2>{};
    co_await checked(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()),
                     "making a channel for port {}", port);
    const auto mine = Fd{ends[0]};
    auto theirs = Fd{ends[1]};
    co_await send_with_descriptor(channel_.get(), port, theirs.get());
    theirs.reset();
    co_await loop_.poll(mine.get(), POLLIN);
    auto answer = co_await receive_with_descriptor(mine.get());
    if (!answer) co_await fail(Kind::unavailable, "the keeper gave no answer for port {}", port);
    if (answer->number != 0)
        co_await fail_os(static_cast<int>(answer->number), "connecting to port {} of the host",
                         port);
    if (!answer->descriptor) co_await fail(Kind::io, "no socket for port {} of the host", port);
    co_return std::move(answer->descriptor);
}

io::Task<void> answer_dials(io::Loop& loop, int channel, std::string path) {
    while (true) {
        co_await loop.poll(channel, POLLIN);
        const auto request = co_await receive_with_descriptor(channel);
        if (!request) co_return;
        const auto socket = connect_to(fmt::format("{}_{}", path, request->number));
        const auto error = socket ? 0 : std::max(socket.error().os_error(), EPERM);
        // Who no longer waits for the answer needs none.
        static_cast<void>(send_with_descriptor(request->descriptor.get(),
                                               static_cast<std::uint32_t>(error),
                                               socket ? socket->get() : -1));
    }
}

Result<Fd> listen_for_vsock(const std::string& path) {
    const auto limit = sizeof(sockaddr_un::sun_path) - 1 - longest_port;
    if (path.size() > limit)
        return fail(Kind::invalid, "vsock socket \"{}\": a path of at most {} bytes is needed",
                    path, limit);
    return listen_at("vsock socket", path, backlog);
}

}  // namespace sheaf::node

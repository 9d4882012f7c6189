#include "node/control.h"

#include <sys/socket.h>

#include <array>

namespace sheaf::node {

Result<std::pair<Fd, Fd>> make_control_channel() {
    auto ends = std::array<int, 2>{};
    TRY(checked(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()),
                "making a control channel"));
    return std::pair{Fd{ends[0]}, Fd{ends[1]}};
}

Result<void> send_packet(const Fd& channel, std::string_view packet) {
    if (packet.size() > control_packet_limit)
        return fail(Kind::exhausted, "a control packet of {} bytes is over {}", packet.size(),
                    control_packet_limit);
    if (::send(channel.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return fail_os(errno, "sending a control packet");
    return {};
}

io::Task<std::string> receive_packet(io::Loop& loop, const Fd& channel) {
    auto packet = std::string(control_packet_limit, '\0');
    const auto length =
        co_await loop.recv(channel.get(), std::as_writable_bytes(std::span{packet}), 0);
    packet.resize(length);
    co_return packet;
}

Result<std::string> receive_packet_now(const Fd& channel) {
    auto packet = std::string(control_packet_limit, '\0');
    const auto length = ::recv(channel.get(), packet.data(), packet.size(), 0);
    if (length < 0) return fail_os(errno, "receiving a control packet");
    packet.resize(static_cast<std::size_t>(length));
    return packet;
}

}  // namespace sheaf::node

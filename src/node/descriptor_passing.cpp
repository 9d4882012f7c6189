#include "node/descriptor_passing.h"

#include <sys/socket.h>

#include <array>
#include <cstring>

#include "base/bytes.h"

namespace sheaf::node {

Result<void> send_with_descriptors(int socket, std::string_view packet,
                                   std::span<const int> descriptors) {
    if (packet.size() > passed_packet_limit || descriptors.size() > most_passed)
        return fail(Kind::exhausted, "a packet of {} bytes with {} descriptors", packet.size(),
                    descriptors.size());
    auto piece = iovec{const_cast<char*>(packet.data()), packet.size()};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(most_passed * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        message.msg_control = control.data();
        message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        auto* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
    }
    if (::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return fail_os(errno, "sending a packet with descriptors");
    return {};
}

Result<PassedPacket> receive_with_descriptors(int socket) {
    PassedPacket received;
    received.packet.resize(passed_packet_limit);
    auto piece = iovec{received.packet.data(), received.packet.size()};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(most_passed * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto length = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0) return fail_os(errno, "receiving a packet with descriptors");
    received.packet.resize(static_cast<std::size_t>(length));
    // What there is no room for the kernel does not give.
    const auto* const header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        std::array<int, most_passed> numbers{};
        const auto bytes = header->cmsg_len - CMSG_LEN(0);
        std::memcpy(numbers.data(), CMSG_DATA(header), bytes);
        for (std::size_t i = 0; i < bytes / sizeof(int); ++i)
            received.descriptors.emplace_back(numbers.at(i));
    }
    if (message.msg_flags & MSG_TRUNC)
        return fail(Kind::corrupt, "a packet of more than {} bytes", passed_packet_limit);
    return received;
}

Result<void> send_with_descriptor(int socket, std::uint32_t number, int descriptor) {
    const auto descriptors = std::span{&descriptor, descriptor >= 0 ? 1u : 0u};
    return send_with_descriptors(socket, as_text(bytes_of(number)), descriptors);
}

Result<std::optional<PassedDescriptor>> receive_with_descriptor(int socket) {
    auto received = TRY(receive_with_descriptors(socket));
    if (received.packet.empty()) return std::nullopt;
    if (received.packet.size() != sizeof(std::uint32_t) || received.descriptors.size() > 1)
        return fail(Kind::corrupt, "a packet that is not one number");
    auto passed = PassedDescriptor{load<std::uint32_t>(as_bytes(received.packet)), {}};
    if (!received.descriptors.empty()) passed.descriptor = std::move(received.descriptors.front());
    return passed;
}

}  // namespace sheaf::node

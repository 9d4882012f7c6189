#include "node/descriptor_passing.h"

#include <sys/socket.h>

#include <array>
#include <cstring>

namespace sheaf::node {

Result<void> send_with_descriptor(int socket, std::uint32_t number, int descriptor) {
    auto piece = iovec{&number, sizeof(number)};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    if (descriptor >= 0) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        auto* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    }
    if (::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return fail_os(errno, "sending a descriptor");
    return {};
}

Result<std::optional<PassedDescriptor>> receive_with_descriptor(int socket) {
    auto received = PassedDescriptor{};
    auto piece = iovec{&received.number, sizeof(received.number)};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto length = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0) return fail_os(errno, "receiving a descriptor");
    if (length == 0) return std::nullopt;
    // There is room for one, so the kernel gives no more.
    const auto* const header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int))) {
        int number = -1;
        std::memcpy(&number, CMSG_DATA(header), sizeof(int));
        received.descriptor = Fd{number};
    }
    if (length != sizeof(received.number) || message.msg_flags & MSG_TRUNC)
        return fail(Kind::corrupt, "a packet that is not one number");
    return received;
}

}  // namespace sheaf::node

#include "io/byte_stream.h"

#include <poll.h>
#include <sys/socket.h>

namespace sheaf::io {

Task<std::size_t> SocketStream::receive(std::span<std::byte> buffer) {
    co_return co_await loop_.recv(socket_.get(), buffer, 0);
}

Task<void> SocketStream::send(std::span<const std::byte> bytes) {
    while (!bytes.empty())
        bytes = bytes.subspan(co_await loop_.send(socket_.get(), bytes, MSG_NOSIGNAL));
}

bool SocketStream::is_broken() const {
    pollfd state{.fd = socket_.get(), .events = POLLRDHUP, .revents = 0};
    return ::poll(&state, 1, 0) != 0;
}

}  // namespace sheaf::io

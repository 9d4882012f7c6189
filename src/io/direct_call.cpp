#include "io/direct_call.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace sheaf::io {

namespace {

// Of a system call that may be interrupted by a signal.
template <class Call>
int result_of_call(Call call) {
    while (true) {
        const auto result = call();
        if (result >= 0) return static_cast<int>(result);
        if (errno != EINTR) return -errno;
    }
}

// Makes a descriptor non-blocking for one call. The flag belongs to the open file: whoever shares
// it sees it for that moment.
class NonBlocking {
  public:
    explicit NonBlocking(int fd) : fd_(fd), flags_(::fcntl(fd, F_GETFL)) {
        if (changes()) ::fcntl(fd_, F_SETFL, flags_ | O_NONBLOCK);
    }
    ~NonBlocking() {
        if (changes()) ::fcntl(fd_, F_SETFL, flags_);
    }
    NonBlocking(const NonBlocking&) = delete;
    NonBlocking& operator=(const NonBlocking&) = delete;

  private:
    bool changes() const { return flags_ >= 0 && !(flags_ & O_NONBLOCK); }
    int fd_;
    int flags_;
};

int transfer(const Request& request, std::uint64_t offset, int flags) {
    const auto buffers = request.buffers();
    const auto count = static_cast<int>(buffers.size());
    const auto at = static_cast<off_t>(offset);
    return result_of_call([&] {
        return request.code == Request::Code::read
                   ? ::preadv2(request.fd, buffers.data(), count, at, flags)
                   : ::pwritev2(request.fd, buffers.data(), count, at, flags);
    });
}

int transfer_without_waiting(const Request& request) {
    const auto result = transfer(request, Request::no_offset, RWF_NOWAIT);
    if (result != -EOPNOTSUPP) return result;
    // Sockets, pipes and terminals of older kernels do not know the flag. That poll has said ready
    // is not enough: a write longer than the room there is would wait.
    const NonBlocking guard{request.fd};
    return transfer(request, Request::no_offset, 0);
}

int poll_now(const Request& request) {
    auto descriptor =
        pollfd{.fd = request.fd, .events = static_cast<short>(request.mode), .revents = 0};
    const auto count = result_of_call([&] { return ::poll(&descriptor, 1, 0); });
    if (count <= 0) return count < 0 ? count : -EAGAIN;
    return descriptor.revents & POLLNVAL ? -EBADF : descriptor.revents;
}

int connect_now(const Request& request) {
    return ::connect(request.fd, request.address, request.address_length) < 0 ? -errno : 0;
}

}  // namespace

int call_and_wait(const Request& request) {
    switch (request.code) {
        case Request::Code::read:
        case Request::Code::write: return transfer(request, request.offset, 0);
        case Request::Code::fdatasync:
            return result_of_call([&] { return ::fdatasync(request.fd); });
        case Request::Code::fallocate:
            return result_of_call([&] {
                return ::fallocate(request.fd, static_cast<int>(request.mode),
                                   static_cast<off_t>(request.offset),
                                   static_cast<off_t>(request.length));
            });
        case Request::Code::connect: return connect_now(request);
        default: return -EINVAL;
    }
}

int call_without_waiting(const Request& request) {
    const auto buffer = request.buffers().empty() ? iovec{} : request.buffers().front();
    const auto flags = static_cast<int>(request.mode) | MSG_DONTWAIT;
    switch (request.code) {
        case Request::Code::read:
        case Request::Code::write: return transfer_without_waiting(request);
        case Request::Code::poll: return poll_now(request);
        case Request::Code::accept: {
            const NonBlocking guard{request.fd};
            return result_of_call(
                [&] { return ::accept4(request.fd, nullptr, nullptr, SOCK_CLOEXEC); });
        }
        case Request::Code::connect: {
            const NonBlocking guard{request.fd};
            return connect_now(request);
        }
        case Request::Code::send:
            return result_of_call([&] {
                return ::send(request.fd, buffer.iov_base, buffer.iov_len, flags | MSG_NOSIGNAL);
            });
        case Request::Code::recv:
            return result_of_call(
                [&] { return ::recv(request.fd, buffer.iov_base, buffer.iov_len, flags); });
        default: return -EINVAL;
    }
}

int outcome_of_connect(int fd) {
    auto error = 0;
    auto length = socklen_t{sizeof(error)};
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return -errno;
    return -error;
}

bool waits_for_readiness(const Request& request) {
    switch (request.code) {
        case Request::Code::read:
        case Request::Code::write: return request.offset == Request::no_offset;
        case Request::Code::send:
        case Request::Code::recv: return !(request.mode & MSG_DONTWAIT);
        case Request::Code::accept:
        case Request::Code::connect:
        case Request::Code::poll: return true;
        default: return false;
    }
}

unsigned readiness_events(const Request& request) {
    switch (request.code) {
        case Request::Code::read:
        case Request::Code::accept:
        case Request::Code::recv: return POLLIN;
        case Request::Code::poll: return request.mode;
        default: return POLLOUT;
    }
}

}  // namespace sheaf::io

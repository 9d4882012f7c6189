#include "io/uring_request.h"

#include <liburing.h>

#include "io/uring_memory.h"

namespace sheaf::io {

namespace {

void prepare_transfer(io_uring_sqe& entry, const Request& request, int vectored, int plain,
                      int fixed, const UringMemory& memory) {
    const auto buffers = request.buffers();
    if (buffers.size() != 1) {
        ::io_uring_prep_rw(vectored, &entry, request.fd, buffers.data(),
                           static_cast<unsigned>(buffers.size()), request.offset);
        return;
    }
    const auto place = memory.place_of(buffers[0].iov_base, buffers[0].iov_len);
    ::io_uring_prep_rw(place >= 0 ? fixed : plain, &entry, request.fd, buffers[0].iov_base,
                       static_cast<unsigned>(buffers[0].iov_len), request.offset);
    if (place >= 0) entry.buf_index = static_cast<std::uint16_t>(place);
}

void prepare_sleep(io_uring_sqe& entry, Operation& operation) {
    const auto since = operation.request.deadline.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    auto& deadline = operation.notes.deadline;
    deadline.tv_sec = seconds.count();
    deadline.tv_nsec = std::chrono::nanoseconds{since - seconds}.count();
    // steady_clock is CLOCK_MONOTONIC, the clock of an absolute timeout. The kernel reads the time
    // when it takes the entry; on x86-64 timespec is its 64-bit form.
    ::io_uring_prep_rw(IORING_OP_TIMEOUT, &entry, -1, &deadline, 1, 0);
    entry.timeout_flags = IORING_TIMEOUT_ABS;
}

}  // namespace

void prepare(io_uring_sqe& entry, Operation& operation, const UringMemory& memory) {
    const auto& request = operation.request;
    const auto buffer = request.buffers().empty() ? iovec{} : request.buffers().front();
    const auto flags = static_cast<int>(request.mode);
    switch (request.code) {
        case Request::Code::read:
            return prepare_transfer(entry, request, IORING_OP_READV, IORING_OP_READ,
                                    IORING_OP_READ_FIXED, memory);
        case Request::Code::write:
            return prepare_transfer(entry, request, IORING_OP_WRITEV, IORING_OP_WRITE,
                                    IORING_OP_WRITE_FIXED, memory);
        case Request::Code::fdatasync:
            return ::io_uring_prep_fsync(&entry, request.fd, IORING_FSYNC_DATASYNC);
        case Request::Code::fallocate:
            ::io_uring_prep_rw(IORING_OP_FALLOCATE, &entry, request.fd, nullptr, request.mode,
                               request.offset);
            entry.addr = request.length;
            return;
        case Request::Code::poll: return ::io_uring_prep_poll_add(&entry, request.fd, request.mode);
        case Request::Code::accept:
            return ::io_uring_prep_accept(&entry, request.fd, nullptr, nullptr, SOCK_CLOEXEC);
        case Request::Code::connect:
            return ::io_uring_prep_connect(&entry, request.fd, request.address,
                                           request.address_length);
        case Request::Code::send:
            return ::io_uring_prep_send(&entry, request.fd, buffer.iov_base, buffer.iov_len, flags);
        case Request::Code::recv:
            return ::io_uring_prep_recv(&entry, request.fd, buffer.iov_base, buffer.iov_len, flags);
        case Request::Code::sleep: return prepare_sleep(entry, operation);
    }
}

}  // namespace sheaf::io

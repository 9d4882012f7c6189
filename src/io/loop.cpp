#include "io/loop.h"

namespace sheaf::io {

namespace {

// iovec has no const form; a write or send never writes through it.
iovec buffer_of(std::span<const std::byte> bytes) {
    return {const_cast<std::byte*>(bytes.data()), bytes.size()};
}

Request transfer(Request::Code code, int fd, std::span<const iovec> vectors, std::uint64_t offset,
                 Pace pace = Pace::may_wait) {
    return {.code = code, .pace = pace, .fd = fd, .offset = offset, .vectors = vectors};
}

Request transfer(Request::Code code, int fd, iovec buffer, std::uint64_t offset,
                 Pace pace = Pace::may_wait) {
    return {.code = code, .pace = pace, .fd = fd, .offset = offset, .single = buffer};
}

}  // namespace

using Code = Request::Code;

const char* to_string(LoopKind kind) {
    switch (kind) {
        case LoopKind::io_uring: return "io_uring";
        case LoopKind::thread_pool: return "thread_pool";
        case LoopKind::simulated: return "simulated";
    }
    return "unknown";
}

Io<std::size_t> Loop::read(int fd, std::span<const iovec> vectors, std::uint64_t offset,
                           Pace pace) {
    return {*this, transfer(Code::read, fd, vectors, offset, pace)};
}
Io<std::size_t> Loop::read(int fd, std::span<std::byte> buffer, std::uint64_t offset, Pace pace) {
    return {*this, transfer(Code::read, fd, buffer_of(buffer), offset, pace)};
}
Io<std::size_t> Loop::write(int fd, std::span<const iovec> vectors, std::uint64_t offset,
                            Pace pace) {
    return {*this, transfer(Code::write, fd, vectors, offset, pace)};
}
Io<std::size_t> Loop::write(int fd, std::span<const std::byte> buffer, std::uint64_t offset,
                            Pace pace) {
    return {*this, transfer(Code::write, fd, buffer_of(buffer), offset, pace)};
}

Io<std::size_t> Loop::read_stream(int fd, std::span<const iovec> vectors) {
    return {*this, transfer(Code::read, fd, vectors, Request::no_offset)};
}
Io<std::size_t> Loop::read_stream(int fd, std::span<std::byte> buffer) {
    return {*this, transfer(Code::read, fd, buffer_of(buffer), Request::no_offset)};
}
Io<std::size_t> Loop::write_stream(int fd, std::span<const iovec> vectors) {
    return {*this, transfer(Code::write, fd, vectors, Request::no_offset)};
}
Io<std::size_t> Loop::write_stream(int fd, std::span<const std::byte> buffer) {
    return {*this, transfer(Code::write, fd, buffer_of(buffer), Request::no_offset)};
}

Io<void> Loop::fdatasync(int fd, Pace pace) {
    return {*this, {.code = Code::fdatasync, .pace = pace, .fd = fd}};
}

Io<void> Loop::fallocate(int fd, int mode, std::uint64_t offset, std::uint64_t length, Pace pace) {
    return {*this,
            {.code = Code::fallocate,
             .pace = pace,
             .fd = fd,
             .mode = static_cast<std::uint32_t>(mode),
             .offset = offset,
             .length = length}};
}

Io<unsigned> Loop::poll(int fd, unsigned events) {
    return {*this, {.code = Code::poll, .fd = fd, .mode = events}};
}

Io<Fd> Loop::accept(int fd) {
    return {*this, {.code = Code::accept, .fd = fd}};
}

Io<void> Loop::connect(int fd, const sockaddr* address, socklen_t length) {
    return {*this, {.code = Code::connect, .fd = fd, .address = address, .address_length = length}};
}

Io<std::size_t> Loop::send(int fd, std::span<const std::byte> buffer, int flags) {
    return {*this,
            {.code = Code::send,
             .fd = fd,
             .mode = static_cast<std::uint32_t>(flags),
             .single = buffer_of(buffer)}};
}

Io<std::size_t> Loop::recv(int fd, std::span<std::byte> buffer, int flags) {
    return {*this,
            {.code = Code::recv,
             .fd = fd,
             .mode = static_cast<std::uint32_t>(flags),
             .single = buffer_of(buffer)}};
}

Io<void> Loop::sleep_until(TimePoint deadline) {
    return {*this, {.code = Code::sleep, .deadline = deadline}};
}

}  // namespace sheaf::io

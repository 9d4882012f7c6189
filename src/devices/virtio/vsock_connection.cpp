#include "devices/virtio/vsock_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace sheaf::virtio {

using vsock_wire::host_cid;
using vsock_wire::most_payload;
using vsock_wire::no_receive;
using vsock_wire::no_send;
using vsock_wire::type_stream;

void VsockConnection::offer(Fd socket) {
    socket_ = std::move(socket);
    state_ = State::offered;
    request_ = true;
    announce();
}

void VsockConnection::accept(Fd socket) {
    if (state_ != State::asked) return;  // the guest no longer wants it
    socket_ = std::move(socket);
    state_ = State::open;
    response_ = true;
    readable_ = true;
    announce();
}

// The descriptor stays open until nothing waits for it any more; its peer sees the end now.
void VsockConnection::reset() {
    if (state_ == State::resetting || state_ == State::over) return;
    state_ = State::resetting;
    if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);
    announce();
}

// ---- guest to host ----------------------------------------------------------------------------

void VsockConnection::receive(const VsockHeader& header, Readable& payload) {
    if (state_ == State::resetting || state_ == State::over) return;
    credit_.hear(header);
    obey(header, payload);
    if (credit_asked_ && credit_.may_send() > 0) {
        credit_asked_ = false;
        announce();
    }
}

void VsockConnection::obey(const VsockHeader& header, Readable& payload) {
    switch (static_cast<VsockOperation>(header.operation)) {
        case VsockOperation::response: return take_response();
        case VsockOperation::data: return take_data(header, payload);
        case VsockOperation::shutdown: return take_shutdown(header.flags);
        case VsockOperation::reset:
            state_ = State::over;
            if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);
            return carrier_.ended(*this);
        case VsockOperation::credit_update: return;
        case VsockOperation::credit_request: credit_update_ = true; return announce();
        default: return reset();
    }
}

void VsockConnection::take_response() {
    if (state_ != State::offered) return reset();
    const auto greeting = fmt::format("OK {}\n", key_.host_port);
    const auto sent =
        ::send(socket_.get(), greeting.data(), greeting.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(greeting.size())) return reset();
    state_ = State::open;
    readable_ = true;
    announce();
}

void VsockConnection::take_data(const VsockHeader& header, Readable& payload) {
    if (state_ != State::open || !guest_sends_ || header.length > credit_.room()) return reset();
    credit_.receive(header.length);
    if (host_receives_) {
        write_host(header.length, payload);
    } else {
        credit_.forward(header.length);
    }
    if (credit_.is_news()) announce();
}

// Straight out of guest memory, as long as the host takes it.
void VsockConnection::write_host(std::uint32_t length, Readable& payload) {
    std::size_t taken = 0;
    if (backlog_.empty()) {
        make_window(payload.vectors(), 0, length, window_);
        msghdr message{};
        message.msg_iov = window_.data();
        message.msg_iovlen = window_.size();
        const auto sent = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            credit_.forward(length);
            return host_refuses();
        }
        taken = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
        credit_.forward(static_cast<std::uint32_t>(taken));
    }
    if (taken == length) return;
    backlog_.erase(backlog_.begin(), backlog_.begin() + static_cast<std::ptrdiff_t>(drained_));
    drained_ = 0;
    const auto before = backlog_.size();
    backlog_.resize(before + length - taken);
    // Both lengths were checked when the header was taken.
    static_cast<void>(payload.skip(taken));
    static_cast<void>(payload.copy_out(std::span{backlog_}.subspan(before)));
    backlog_grew_.set();
}

io::Task<void> VsockConnection::drain() {
    while (true) {
        while (backlog_.empty()) {
            backlog_grew_.clear();
            co_await backlog_grew_.wait();
        }
        co_await loop_.poll(socket_.get(), POLLOUT);
        flush();
    }
}

void VsockConnection::flush() {
    const auto rest = std::span{backlog_}.subspan(drained_);
    const auto sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (sent < 0) return host_refuses();
    credit_.forward(static_cast<std::uint32_t>(sent));
    drained_ += static_cast<std::size_t>(sent);
    if (drained_ == backlog_.size()) {
        backlog_.clear();
        drained_ = 0;
        if (!guest_sends_) ::shutdown(socket_.get(), SHUT_WR);
        finish_if_done();
    }
    if (credit_.is_news()) announce();
}

// The program on the host reads no more; what the guest sends goes nowhere.
void VsockConnection::host_refuses() {
    credit_.forward(static_cast<std::uint32_t>(backlog_.size() - drained_));
    backlog_.clear();
    drained_ = 0;
    host_receives_ = false;
    shutdown_ |= no_receive;
    finish_if_done();
    announce();
}

void VsockConnection::take_shutdown(std::uint32_t flags) {
    if (state_ != State::open) return reset();
    if (flags & no_receive && std::exchange(guest_receives_, false)) {
        ::shutdown(socket_.get(), SHUT_RD);
        if (std::exchange(readable_, false)) unreadable_.set();
    }
    if (flags & no_send && std::exchange(guest_sends_, false) && backlog_.empty())
        ::shutdown(socket_.get(), SHUT_WR);
    finish_if_done();
}

// The guest is done both ways, and the host has got everything: a reset says so (section
// 5.10.6.4.2).
void VsockConnection::finish_if_done() {
    if (!guest_sends_ && !guest_receives_ && backlog_.empty()) reset();
}

// ---- host to guest ----------------------------------------------------------------------------

bool VsockConnection::reads_host() const {
    return host_sends_ && guest_receives_;
}

// Waits for data once reading found none, and for the host's leaving once there will be none.
io::Task<void> VsockConnection::watch_host() {
    while (true) {
        co_await unreadable_.wait();
        unreadable_.clear();
        const auto ready = co_await loop_.poll(socket_.get(), reads_host() ? POLLIN : 0);
        if (reads_host()) {
            readable_ = true;
            announce();
        } else if (ready & (POLLHUP | POLLERR)) {
            host_left();
            co_return;
        } else {
            unreadable_.set();  // the guest no longer receives: our own shutdown woke this
        }
    }
}

std::optional<std::uint32_t> VsockConnection::next_packet(Writable& to) {
    if (state_ == State::over) return std::nullopt;
    if (state_ == State::resetting) {
        state_ = State::over;
        return put(to, VsockOperation::reset);
    }
    if (std::exchange(request_, false)) return put(to, VsockOperation::request);
    if (std::exchange(response_, false)) return put(to, VsockOperation::response);
    if (state_ != State::open) return std::nullopt;
    if (readable_ && reads_host())
        if (const auto length = read_host(to)) return length;
    if (shutdown_ != shutdown_told_) return put(to, VsockOperation::shutdown);
    if (std::exchange(credit_request_, false)) return put(to, VsockOperation::credit_request);
    if (credit_update_ || credit_.is_news()) return put(to, VsockOperation::credit_update);
    return std::nullopt;
}

// Straight into guest memory, behind the room for the header.
std::optional<std::uint32_t> VsockConnection::read_host(Writable& to) {
    const auto most = std::min(credit_.may_send(), most_payload);
    if (most == 0) {
        if (!std::exchange(credit_asked_, true)) credit_request_ = true;
        return std::nullopt;
    }
    make_window(to.vectors(), sizeof(VsockHeader), most, window_);
    msghdr message{};
    message.msg_iov = window_.data();
    message.msg_iovlen = window_.size();
    const auto count = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
    if (count > 0) {
        const auto length = static_cast<std::uint32_t>(count);
        credit_.send(length);
        return put(to, VsockOperation::data, length);
    }
    readable_ = false;
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        unreadable_.set();
    } else {
        host_stopped();
    }
    return std::nullopt;
}

// The program on the host sends no more. Whether it has left altogether is seen by the hang-up.
void VsockConnection::host_stopped() {
    host_sends_ = false;
    shutdown_ |= no_send;
    auto hang_up = pollfd{.fd = socket_.get(), .events = 0, .revents = 0};
    if (::poll(&hang_up, 1, 0) > 0) return host_left();
    unreadable_.set();
}

void VsockConnection::host_left() {
    host_sends_ = false;
    shutdown_ |= no_send;
    host_refuses();
}

std::uint32_t VsockConnection::put(Writable& to, VsockOperation operation, std::uint32_t length) {
    auto header = VsockHeader{.source_cid = host_cid,
                              .destination_cid = guest_cid_,
                              .source_port = key_.host_port,
                              .destination_port = key_.guest_port,
                              .length = length,
                              .type = type_stream,
                              .operation = std::to_underlying(operation)};
    if (operation == VsockOperation::shutdown) header.flags = shutdown_told_ = shutdown_;
    credit_.tell(header);
    credit_update_ = false;
    static_cast<void>(to.put(header));  // the caller has checked the room
    // There may be more: the carrier asks again until there is not.
    announce();
    return sizeof(header) + length;
}

// ---- life -------------------------------------------------------------------------------------

// Whoever closed it may be one of its own functions, so it goes in a turn of its own.
io::Task<void> VsockConnection::run() {
    io::TaskGroup movers;
    movers.start(watch_host());
    movers.start(drain());
    static_cast<void>(co_await closed_.wait().result());
    static_cast<void>(co_await loop_.sleep(io::Duration::zero()).result());
    movers.cancel();
    static_cast<void>(co_await movers.join().result());
}

}  // namespace sheaf::virtio

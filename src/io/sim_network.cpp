#include "io/sim_network.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace sheaf::io {

namespace {

std::string text_of(const sockaddr* address, socklen_t length) {
    return {std::bit_cast<const char*>(address), length};
}

}  // namespace

Result<SimNetwork::Endpoint*> SimNetwork::add() {
    // A number that was closed may be given out again by the system.
    notice_closed();
    auto endpoint = std::make_unique<Endpoint>();
    endpoint->placeholder = TRY(SimPlaceholder::create());
    endpoint->identity = ++last_identity_;
    auto* added = endpoint.get();
    endpoints_.emplace(added->placeholder.given.get(), std::move(endpoint));
    return added;
}

void SimNetwork::join(Endpoint& one, Endpoint& other) {
    one.peer = &other;
    other.peer = &one;
}

Result<std::pair<Fd, Fd>> SimNetwork::connection() {
    auto* one = TRY(add());
    auto* other = TRY(add());
    join(*one, *other);
    return std::pair{std::move(one->placeholder.given), std::move(other->placeholder.given)};
}

Result<Fd> SimNetwork::socket() {
    return std::move(TRY(add())->placeholder.given);
}

Result<Fd> SimNetwork::listen(const sockaddr* address, socklen_t length) {
    auto* listener = TRY(add());
    listener->listens = true;
    listener->address = text_of(address, length);
    return std::move(listener->placeholder.given);
}

void SimNetwork::reset(int fd) {
    break_connection(*endpoints_.at(fd));
}

void SimNetwork::break_connection(Endpoint& endpoint) {
    for (auto* end : {&endpoint, endpoint.peer}) {
        if (!end) continue;
        end->was_reset = true;
        end->inbox.clear();
    }
}

void SimNetwork::notice_closed() {
    std::erase_if(endpoints_, [](auto& entry) {
        auto& endpoint = *entry.second;
        // An end that was not accepted yet is still here, and cannot have been closed.
        if (endpoint.placeholder.given || !endpoint.placeholder.closed()) return false;
        if (endpoint.peer) {
            endpoint.peer->peer_closed = true;
            endpoint.peer->peer = nullptr;
        }
        return true;
    });
}

std::size_t SimNetwork::draw_length(std::size_t length) {
    if (length <= 1 || !random_.chance(faults_.short_transfer)) return length;
    return 1 + random_.below(length - 1);
}

int SimNetwork::attempt(const Request& request) {
    notice_closed();
    const auto found = endpoints_.find(request.fd);
    if (found == endpoints_.end()) return -EBADF;
    auto& endpoint = *found->second;
    switch (request.code) {
        case Request::Code::read:
        case Request::Code::recv: return receive(endpoint, request);
        case Request::Code::write:
        case Request::Code::send: return transmit(endpoint, request);
        case Request::Code::accept: return accept(endpoint);
        case Request::Code::connect: return connect(endpoint, request);
        case Request::Code::poll: {
            const auto ready = readiness(endpoint) & (request.mode | POLLHUP | POLLERR);
            return ready ? static_cast<int>(ready) : -EAGAIN;
        }
        default: return -EINVAL;
    }
}

int SimNetwork::receive(Endpoint& endpoint, const Request& request) {
    if (endpoint.was_reset) return -ECONNRESET;
    if (endpoint.held) return -EAGAIN;
    if (endpoint.inbox.empty()) {
        if (endpoint.peer_closed) return 0;
        return endpoint.peer ? -EAGAIN : -ENOTCONN;
    }
    if (random_.chance(faults_.reset)) {
        break_connection(endpoint);
        return -ECONNRESET;
    }
    auto left = draw_length(endpoint.inbox.size());
    auto received = std::size_t{0};
    for (const auto& buffer : request.buffers()) {
        const auto length = std::min(left, buffer.iov_len);
        const auto end = endpoint.inbox.begin() + static_cast<std::ptrdiff_t>(length);
        std::copy(endpoint.inbox.begin(), end, static_cast<std::byte*>(buffer.iov_base));
        endpoint.inbox.erase(endpoint.inbox.begin(), end);
        received += length;
        left -= length;
    }
    return static_cast<int>(received);
}

int SimNetwork::transmit(Endpoint& endpoint, const Request& request) {
    if (endpoint.was_reset) return -ECONNRESET;
    if (!endpoint.peer) return endpoint.peer_closed ? -EPIPE : -ENOTCONN;
    auto& inbox = endpoint.peer->inbox;
    if (inbox.size() >= capacity) return -EAGAIN;
    if (random_.chance(faults_.reset)) {
        break_connection(endpoint);
        return -ECONNRESET;
    }
    auto left = draw_length(capacity - inbox.size());
    auto sent = std::size_t{0};
    for (const auto& buffer : request.buffers()) {
        const auto length = std::min(left, buffer.iov_len);
        const auto* start = static_cast<const std::byte*>(buffer.iov_base);
        inbox.insert(inbox.end(), start, start + length);
        sent += length;
        left -= length;
    }
    return static_cast<int>(sent);
}

int SimNetwork::accept(Endpoint& listener) {
    if (!listener.listens) return -EINVAL;
    if (listener.waiting.empty()) return -EAGAIN;
    auto accepted = std::move(listener.waiting.front());
    listener.waiting.pop_front();
    return accepted.release();
}

int SimNetwork::connect(Endpoint& endpoint, const Request& request) {
    if (endpoint.peer) return -EISCONN;
    const auto wanted = text_of(request.address, request.address_length);
    const auto found = std::ranges::find_if(endpoints_, [&](const auto& entry) {
        return entry.second->listens && entry.second->address == wanted;
    });
    if (found == endpoints_.end()) return -ECONNREFUSED;
    auto& listener = *found->second;
    auto other = add();
    if (!other) return -other.error().os_error();
    join(endpoint, **other);
    listener.waiting.push_back(std::move((*other)->placeholder.given));
    return 0;
}

unsigned SimNetwork::readiness(const Endpoint& endpoint) {
    auto ready = 0u;
    if (endpoint.listens) return endpoint.waiting.empty() ? 0u : POLLIN;
    const auto arrived = !endpoint.inbox.empty() || endpoint.peer_closed;
    if ((arrived && !endpoint.held) || endpoint.was_reset) ready |= POLLIN;
    if (endpoint.peer && endpoint.peer->inbox.size() < capacity) ready |= POLLOUT;
    if (endpoint.peer_closed && !endpoint.held) ready |= POLLHUP;
    if (endpoint.was_reset) ready |= POLLERR;
    return ready;
}

}  // namespace sheaf::io

#include "http/server.h"

#include <sys/socket.h>

#include "base/defer.h"

namespace sheaf::http {

namespace {

constexpr std::chrono::seconds without_descriptors{1};

// None where it is no unix socket. A process that this one cannot see has credentials all the same.
std::optional<PeerCredentials> credentials_of(const Fd& socket) {
    int domain = 0;
    socklen_t size = sizeof(domain);
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) return {};
    if (domain != AF_UNIX) return {};
    ucred found{};
    socklen_t length = sizeof(found);
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &found, &length) != 0)
        return PeerCredentials{.user = static_cast<uid_t>(-1)};
    return PeerCredentials{.user = found.uid, .group = found.gid, .process = found.pid};
}

}  // namespace

io::Task<void> Server::serve(int listener) {
    accepting_.start(accept(listener));
    auto accepted = co_await accepting_.join().result();
    const auto connections = connections_;
    for (auto* connection : connections) connection->finish_up();
    farewell_.start(end_farewell());
    static_cast<void>(co_await attending_.join().result());  // connections fail for themselves
    farewell_.cancel();
    static_cast<void>(co_await farewell_.join().result());  // its end was asked for
    co_await std::move(accepted);
}

io::Task<void> Server::accept(int listener) {
    while (true) {
        auto socket = co_await loop_.accept(listener).result();
        if (socket) {
            take(*std::move(socket));
        } else if (socket.error().kind() == Kind::exhausted) {
            // Descriptors are given back by whoever has them, unseen from here.
            co_await loop_.sleep(without_descriptors);
        } else if (socket.error().os_error() != ECONNABORTED) {
            co_await std::move(socket);
        }
    }
}

void Server::take(Fd socket) {
    if (serving_ < limits_.connections) {
        full_ = false;
        attending_.start(attend(std::move(socket)));
        return;
    }
    if (!std::exchange(full_, true))
        logger_.warning("clients are refused",
                        {{"connections", fmt::format("{}", limits_.connections)}});
    if (refusing_ < limits_.refusals) attending_.start(turn_away(std::move(socket)));
}

io::Task<void> Server::attend(Fd socket) {
    ++serving_;
    const Defer leave{[this] { --serving_; }};
    const auto peer = credentials_of(socket);
    auto stream = std::make_unique<io::SocketStream>(loop_, std::move(socket));
    ServerConnection connection{loop_,  std::move(stream), peer, handler_,
                                clock_, limits_.connection};
    connections_.insert(&connection);
    const Defer forget{[&] { connections_.erase(&connection); }};
    co_await connection.serve();
}

io::Task<void> Server::turn_away(Fd socket) {
    ++refusing_;
    const Defer leave{[this] { --refusing_; }};
    auto stream = std::make_unique<io::SocketStream>(loop_, std::move(socket));
    ServerConnection connection{loop_, std::move(stream), {}, handler_, clock_, limits_.connection};
    Rejection why{503,
                  fmt::format("{} clients are connected, no more are served", limits_.connections)};
    co_await connection.turn_away(std::move(why));
}

io::Task<void> Server::end_farewell() {
    co_await loop_.sleep(limits_.farewell);
    attending_.cancel();
}

}  // namespace sheaf::http

#include "http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/defer.h"
#include "io/time_limit.h"

namespace sheaf::http {

namespace {

constexpr std::chrono::seconds without_descriptors{1};

// An answer goes out at once, and a client that has vanished is noticed some day.
void prepare(int socket) {
    const int on = 1;
    // Not of a unix socket, which needs neither.
    static_cast<void>(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
    static_cast<void>(::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
}

}  // namespace

io::Task<void> Server::serve(int listener) {
    accepting_.start(accept(listener));
    auto accepted = co_await accepting_.join().result();
    const auto connections = connections_;
    for (auto* connection : connections) connection->finish_up();
    const auto handshakes = handshakes_;
    for (auto* handshake : handshakes) handshake->cancel();
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
    if (serving() < limits_.connections) {
        full_ = false;
        attending_.start(attend(std::move(socket)));
        return;
    }
    if (!std::exchange(full_, true))
        logger_.warning("clients are refused",
                        {{"connections", fmt::format("{}", limits_.connections)}});
    if (refusing_ < limits_.refusals) attending_.start(turn_away(std::move(socket)));
}

// How a client begins and ends is its own business.
io::Task<void> Server::attend(Fd socket) {
    serving_.add(1);
    const Defer leave{[this] { serving_.add(-1); }};
    prepare(socket.get());
    Peer peer{credentials_of(socket.get()), {}};
    if (!security_) {
        auto plain = std::make_unique<io::SocketStream>(loop_, std::move(socket));
        co_return co_await serve_stream(std::move(plain), std::move(peer));
    }
    io::TaskGroup handshake;
    handshakes_.insert(&handshake);
    const Defer done{[&] { handshakes_.erase(&handshake); }};
    std::unique_ptr<io::TlsStream> secured;
    handshake.start(shake_hands(std::move(socket), secured));
    static_cast<void>(co_await handshake.join().result());
    if (!secured) co_return;
    peer.certified = secured->peer_subject();
    co_await serve_stream(std::move(secured), std::move(peer));
}

io::Task<void> Server::shake_hands(Fd socket, std::unique_ptr<io::TlsStream>& secured) {
    auto plain = std::make_unique<io::SocketStream>(loop_, std::move(socket));
    auto work = io::TlsStream::open(*security_, std::move(plain), "a client");
    secured = co_await io::within(loop_, limits_.handshake, std::move(work));
}

io::Task<void> Server::serve_stream(std::unique_ptr<io::ByteStream> stream, Peer peer) {
    auto refusal = handler_.refusal_of(peer);
    ServerConnection::Surroundings around{loop_, handler_, clock_, memory_};
    ServerConnection connection{around, std::move(stream), std::move(peer), limits_.connection};
    if (refusal) co_return co_await connection.turn_away(*std::move(refusal));
    connections_.insert(&connection);
    const Defer forget{[&] { connections_.erase(&connection); }};
    if (accepting_.cancelled()) connection.finish_up();
    co_await connection.serve();
}

// Who would first have to be spoken with in secret is not told.
io::Task<void> Server::turn_away(Fd socket) {
    ++refusing_;
    const Defer leave{[this] { --refusing_; }};
    if (security_) co_return;
    auto stream = std::make_unique<io::SocketStream>(loop_, std::move(socket));
    ServerConnection::Surroundings around{loop_, handler_, clock_, memory_};
    ServerConnection connection{around, std::move(stream), {}, limits_.connection};
    Rejection why{503,
                  fmt::format("{} clients are connected, no more are served", limits_.connections)};
    co_await connection.turn_away(std::move(why));
}

io::Task<void> Server::end_farewell() {
    co_await loop_.sleep(limits_.farewell);
    attending_.cancel();
}

}  // namespace sheaf::http

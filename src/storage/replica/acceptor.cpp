#include "storage/replica/acceptor.h"

#include "io/time_limit.h"
#include "io/tls_stream.h"

namespace sheaf::replica {

namespace {

constexpr auto patience = std::chrono::seconds{10};
constexpr auto pause = std::chrono::milliseconds{100};

}  // namespace

io::Task<void> Acceptor::serve(int listener) {
    accepting_.start(accept(listener));
    auto accepted = co_await accepting_.join().result();
    handshakes_.cancel();
    static_cast<void>(co_await handshakes_.join().result());  // each was told to end
    co_await std::move(accepted);
}

// Where there are no descriptors left, whatever of this process ends gives some back; nothing says
// when.
io::Task<void> Acceptor::accept(int listener) {
    while (true) {
        auto socket = co_await loop_.accept(listener).result();
        if (socket) {
            take(*std::move(socket));
            continue;
        }
        if (socket.error().os_error() == ECONNABORTED) continue;
        if (socket.error().kind() != Kind::exhausted) co_await std::move(socket);
        co_await loop_.sleep(pause);
    }
}

void Acceptor::take(Fd socket) {
    if (!tls_)
        return server_.admit(std::make_unique<io::SocketStream>(loop_, std::move(socket)), {});
    if (handshakes_.size() < most_handshakes) handshakes_.start(shake_hands(std::move(socket)));
}

io::Task<void> Acceptor::shake_hands(Fd socket) {
    auto below = std::make_unique<io::SocketStream>(loop_, std::move(socket));
    auto opening = io::TlsStream::open(*tls_, std::move(below), "an engine");
    auto opened = co_await io::within(loop_, patience, std::move(opening)).result();
    if (!opened) {
        const auto kind = opened.error().kind();
        if (kind != Kind::cancelled && kind != Kind::unavailable)
            logger_.warning("an engine's connection was cut off",
                            {{"node", ""}, {"reason", opened.error().text()}});
        co_return;
    }
    auto stream = *std::move(opened);
    // Lives as long as the stream that it asks: both are one connection's.
    Caller caller{
        [tls = stream.get()](std::string_view node) { return tls->peer_is(std::string{node}); }};
    server_.admit(std::move(stream), std::move(caller));
}

}  // namespace sheaf::replica

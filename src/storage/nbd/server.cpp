#include "storage/nbd/server.h"

#include "base/defer.h"

namespace sheaf::nbd {

io::Task<void> Server::serve(int listener) {
    accepting_.start(accept(listener));
    auto accepted = co_await accepting_.join().result();
    const auto connections = connections_;
    for (auto* connection : connections) connection->finish_up();
    farewell_.start(end_farewell());
    auto attended = co_await attending_.join().result();
    farewell_.cancel();
    static_cast<void>(co_await farewell_.join().result());  // its end was asked for
    co_await std::move(accepted);
    co_await std::move(attended);
}

io::Task<void> Server::accept(int listener) {
    while (true) {
        ended_.clear();
        auto socket = co_await loop_.accept(listener).result();
        if (socket) {
            take(*std::move(socket));
            continue;
        }
        // The client was gone before it was taken, or there is no room for it until another goes.
        if (socket.error().os_error() == ECONNABORTED) continue;
        const auto goes_on = socket.error().kind() == Kind::exhausted && !connections_.empty();
        if (!goes_on) co_await std::move(socket);
        co_await ended_.wait();
    }
}

void Server::take(Fd socket) {
    if (serving_ < limits_.connections) {
        full_ = false;
        attending_.start(attend(std::move(socket)));
        return;
    }
    if (!std::exchange(full_, true))
        logger_.warning("NBD clients are refused",
                        {{"connections", fmt::format("{}", limits_.connections)}});
    if (refusing_ < limits_.refusals) attending_.start(turn_away(std::move(socket)));
}

io::Task<void> Server::attend(Fd socket) {
    ++serving_;
    const Defer leave{[this] { --serving_; }};
    Connection::Terms terms{.patience = limits_.negotiation, .refusal = std::nullopt};
    Connection connection{loop_, std::move(socket), exports_, logger_, std::move(terms)};
    co_await keep(connection);
}

io::Task<void> Server::turn_away(Fd socket) {
    ++refusing_;
    const Defer leave{[this] { --refusing_; }};
    Connection::Terms terms{
        .patience = limits_.refusal,
        .refusal = Negotiation::Refusal{
            OptionReply::policy,
            fmt::format("{} clients are connected, no more are served", limits_.connections)}};
    Connection connection{loop_, std::move(socket), exports_, logger_, std::move(terms)};
    co_await keep(connection);
}

io::Task<void> Server::keep(Connection& connection) {
    connections_.insert(&connection);
    const Defer leave{[&] {
        connections_.erase(&connection);
        ended_.set();
    }};
    co_await connection.serve();
}

io::Task<void> Server::end_farewell() {
    co_await loop_.sleep(limits_.farewell);
    attending_.cancel();
}

}  // namespace sheaf::nbd

#include "storage/nbd/connection.h"

namespace sheaf::nbd {

Connection::Connection(io::Loop& loop, Fd socket, Exports& exports, const Logger& logger,
                       Terms terms)
    : loop_(loop),
      socket_(std::move(socket)),
      exports_(exports),
      logger_(logger),
      terms_(std::move(terms)),
      input_(loop, socket_.get()) {}

io::Task<void> Connection::serve() {
    negotiating_.start(negotiate());
    patience_.start(lose_patience());
    auto outcome = co_await negotiating_.join().result();
    patience_.cancel();
    static_cast<void>(co_await patience_.join().result());  // its end was asked for
    if (too_slow_) outcome = fail(Kind::timed_out, "no export was chosen in time");
    if (outcome && agreed_ && !finishing_) outcome = co_await transmit().result();
    report(outcome);
}

io::Task<void> Connection::negotiate() {
    Negotiation negotiation{loop_, socket_.get(), input_, exports_, terms_.refusal};
    agreed_ = co_await negotiation.run();
}

io::Task<void> Connection::lose_patience() {
    co_await loop_.sleep(terms_.patience);
    too_slow_ = true;
    negotiating_.cancel();
}

io::Task<void> Connection::transmit() {
    transmission_ =
        std::make_unique<Transmission>(loop_, socket_.get(), input_, *std::move(agreed_));
    co_await transmission_->run();
}

void Connection::finish_up() {
    finishing_ = true;
    negotiating_.cancel();
    if (transmission_) transmission_->finish_up();
}

// Of a client that only went away, nothing is said; nor of one that was not served.
void Connection::report(const Result<void>& outcome) const {
    if (terms_.refusal) return;
    const auto name = transmission_ ? transmission_->exported().name : std::string{};
    const auto gone = !outcome && outcome.error().kind() == Kind::unavailable;
    if (gone && !transmission_) return;
    if (gone)
        return logger_.info("an NBD client went away",
                            {{"export", name}, {"reason", outcome.error().text()}});
    if (!outcome && outcome.error().kind() != Kind::cancelled)
        return logger_.warning("an NBD client was cut off",
                               {{"export", name}, {"reason", outcome.error().text()}});
    if (!transmission_ || transmission_->counters().failed == 0) return;
    const auto& counters = transmission_->counters();
    logger_.warning("requests of an NBD client failed",
                    {{"export", name},
                     {"requests", fmt::format("{}", counters.failed)},
                     {"first", counters.first_failure}});
}

}  // namespace sheaf::nbd

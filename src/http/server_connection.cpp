#include "http/server_connection.h"

#include <array>

#include <fmt/core.h>

#include "base/bytes.h"
#include "io/time_limit.h"

namespace sheaf::http {

namespace {

constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::size_t most_drained = 8 << 20;  // bytes of a client that does not stop

// RFC 9110, section 5.6.7.
std::string date_of(WallClock::TimePoint time) {
    constexpr auto days =
        std::to_array<std::string_view>({"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"});
    constexpr auto months = std::to_array<std::string_view>(
        {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"});
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
    return fmt::format(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days.at(std::chrono::weekday{day}.c_encoding()),
        static_cast<unsigned>(date.day()), months.at(static_cast<unsigned>(date.month()) - 1),
        static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
        clock.seconds().count());
}

}  // namespace

io::Task<void> ServerConnection::serve() {
    while (!finishing_) {
        RequestParser parser;
        io::TaskGroup reading;
        reading_ = &reading;
        reading.start(read_request(parser));
        const auto read = co_await reading.join().result();
        reading_ = nullptr;
        if (rejection_) {
            memory_.release();
            co_return co_await reject(*std::move(rejection_));
        }
        if (!read || !parser.is_done()) co_return;
        const auto keeps_open = parser.keeps_open();
        if (!co_await answer(parser.take_request(), keeps_open)) co_return;
    }
}

io::Task<void> ServerConnection::turn_away(Rejection why) {
    co_await reject(std::move(why));
}

void ServerConnection::finish_up() {
    finishing_ = true;
    if (exchange_) exchange_->finish_up();
    if (reading_) reading_->cancel();
}

// Without a word where the client has not begun a request, or has gone.
io::Task<void> ServerConnection::read_request(RequestParser& parser) {
    if (received_.empty()) {
        const auto begun = co_await io::within(loop_, limits_.idle, receive_some()).result();
        if (!begun) co_return;
    }
    judge(co_await io::within(loop_, limits_.head, read_head(parser)).result());
    if (rejection_ || !parser.has_head()) co_return;
    if (parser.expects_continue() && !parser.is_done() && received_.empty())
        co_await io::within(loop_, limits_.send, stream_->send(as_bytes(go_on)));
    judge(co_await io::within(loop_, limits_.body, read_body(parser)).result());
}

void ServerConnection::judge(const Result<void>& read) {
    if (!read && read.error().kind() == Kind::timed_out)
        rejection_ = Rejection{408, "the request took too long to arrive"};
}

io::Task<void> ServerConnection::read_head(RequestParser& parser) {
    while (take(parser) && !parser.has_head()) co_await receive_some();
}

io::Task<void> ServerConnection::read_body(RequestParser& parser) {
    while (take(parser) && !parser.is_done()) co_await receive_some();
}

bool ServerConnection::take(RequestParser& parser) {
    auto taken = parser.take(as_bytes(received_));
    if (!taken) {
        rejection_ = std::move(taken).error();
        return false;
    }
    received_.erase(0, *taken);
    if (memory_.grow(*taken)) return true;
    rejection_ = Rejection{503, "too much is being sent at once; try again later"};
    return false;
}

// Of a size that many idle connections can have.
io::Task<void> ServerConnection::receive_some() {
    std::array<std::byte, 4096> buffer;
    const auto count = co_await stream_->receive(buffer);
    if (count == 0) co_await fail(Kind::unavailable, "the client has gone");
    received_ += as_text(std::span{buffer}.first(count));
}

// Gives whether another request may follow.
io::Task<bool> ServerConnection::answer(ReceivedRequest request, bool keeps_open) {
    io::TaskGroup work;
    Exchange::Connection connection{loop_,     *stream_,     peer_,
                                    received_, limits_.send, date_of(clock_.now())};
    Exchange exchange{std::move(connection), std::move(request), keeps_open && !finishing_, work};
    exchange_ = &exchange;
    work.start(handle(exchange));
    const auto handled = co_await work.join().result();
    exchange_ = nullptr;
    const auto ended = co_await exchange.end().result();
    memory_.release();
    const auto another = handled && ended && exchange.keeps_open();
    co_return another;
}

io::Task<void> ServerConnection::handle(Exchange& exchange) {
    const auto handled = co_await handler_.handle(exchange).result();
    if (handled && exchange.has_begun()) co_return;
    if (exchange.has_begun()) co_await Failure{Error{handled.error()}};
    Reply reply{.status = 500, .headers = {{"Content-Type", "text/plain"}}, .body = {}};
    reply.body = handled ? "no answer\n" : handled.error().text() + "\n";
    co_await exchange.reply(std::move(reply));
}

// The answer is no use to a client whose bytes are thrown back at it, so they are read first.
io::Task<void> ServerConnection::reject(Rejection why) {
    const auto text = fmt::format(
        "HTTP/1.1 {} Refused\r\nDate: {}\r\nContent-Type: text/plain\r\n"
        "Content-Length: {}\r\nConnection: close\r\n\r\n{}\n",
        why.status, date_of(clock_.now()), why.reason.size() + 1, why.reason);
    const auto sent =
        co_await io::within(loop_, limits_.send, stream_->send(as_bytes(text))).result();
    if (sent) static_cast<void>(co_await io::within(loop_, limits_.linger, drain()).result());
}

io::Task<void> ServerConnection::drain() {
    for (std::size_t drained = 0; drained < most_drained; drained += received_.size()) {
        received_.clear();
        co_await receive_some();
    }
}

}  // namespace sheaf::http

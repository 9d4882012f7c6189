#include "http/client_connection.h"

#include <array>

#include "base/bytes.h"

namespace sheaf::http {

namespace {

// Nothing of a request comes from outside, so it is written as it stands (RFC 9112, section 3).
std::string text_of(const Request& request, const std::string& host) {
    auto text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n", request.method,
                            request.target, host, request.body.size());
    for (const auto& header : request.headers)
        text += fmt::format("{}: {}\r\n", header.name, header.value);
    return text + "\r\n" + request.body;
}

}  // namespace

io::Task<void> ClientConnection::receive_some() {
    std::array<std::byte, 16384> buffer;
    const auto count = co_await stream_->receive(buffer);
    if (count == 0) {
        co_await parser_.end();
        co_return;
    }
    received_ += as_text(std::span{buffer}.first(count));
    const auto taken = co_await parser_.take(as_bytes(received_));
    received_.erase(0, taken);
    if (!parser_.is_done() && received_.size() > ResponseParser::longest_head)
        co_await fail(Kind::corrupt, "it is no HTTP: a head without end");
}

// Of TLS a server that does not believe this client says so and hangs up, maybe before this end
// sends: what it said is there to be read all the same.
io::Task<void> ClientConnection::hear_refusal() {
    const auto heard = co_await receive_some().result();
    if (!heard && heard.error().kind() == Kind::denied) co_await Failure{heard.error()};
}

io::Task<unsigned> ClientConnection::begin(Request request) {
    busy_ = true;
    parser_ = ResponseParser{};
    const auto text = text_of(request, host_);
    auto sent = co_await stream_->send(as_bytes(text)).result();
    if (!sent && sent.error().kind() != Kind::cancelled) co_await hear_refusal();
    co_await std::move(sent);
    while (!parser_.has_head()) co_await receive_some();
    co_return parser_.status();
}

io::Task<std::optional<std::string>> ClientConnection::piece() {
    while (true) {
        auto body = parser_.take_body();
        if (!body.empty()) co_return body;
        if (parser_.is_done()) break;
        co_await receive_some();
    }
    busy_ = !parser_.keeps_open() || !received_.empty();
    co_return std::nullopt;
}

io::Task<Response> ClientConnection::ask(Request request, std::size_t limit) {
    Response response;
    response.status = co_await begin(std::move(request));
    while (auto more = co_await piece()) {
        response.body += *more;
        if (response.body.size() > limit)
            co_await fail(Kind::exhausted, "an answer of more than {} bytes", limit);
    }
    co_return response;
}

bool ClientConnection::is_free() const {
    return !busy_ && !stream_->is_broken();
}

}  // namespace sheaf::http

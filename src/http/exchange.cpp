#include "http/exchange.h"

#include <array>

#include <fmt/format.h>

#include "base/bytes.h"
#include "io/time_limit.h"

namespace sheaf::http {

namespace {

std::string_view phrase(unsigned status) {
    switch (status) {
        case 101: return "Switching Protocols";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 417: return "Expectation Failed";
        case 422: return "Unprocessable Content";
        case 426: return "Upgrade Required";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        default: return "Status";
    }
}

}  // namespace

std::string Exchange::begin(unsigned status, const std::vector<Header>& headers) {
    begun_ = true;
    status_ = status;
    auto text =
        fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", status, phrase(status), connection_.date);
    for (const auto& header : headers)
        fmt::format_to(std::back_inserter(text), "{}: {}\r\n", header.name, header.value);
    if (switched_) {
        text += "Connection: Upgrade\r\n";
    } else if (!keeps_open_) {
        text += "Connection: close\r\n";
    } else if (request_.is_http_1_0) {
        text += "Connection: keep-alive\r\n";
    }
    return text;
}

io::Task<void> Exchange::send(std::string text) {
    auto sent = co_await io::within(connection_.loop, connection_.patience,
                                    connection_.stream.send(as_bytes(text)))
                    .result();
    if (!sent) broken_ = true;
    co_await std::move(sent);
}

io::Task<void> Exchange::reply(Reply reply) {
    auto text = begin(reply.status, reply.headers);
    fmt::format_to(std::back_inserter(text), "Content-Length: {}\r\n\r\n", reply.body.size());
    if (request_.method != "HEAD") text += reply.body;
    co_await send(std::move(text));
}

io::Task<void> Exchange::begin_stream(unsigned status, std::vector<Header> headers) {
    keeps_open_ = false;
    streams_ = true;
    auto text = begin(status, headers);
    if (!request_.is_http_1_0) text += "Transfer-Encoding: chunked\r\n";
    hearing_.start(hear_end());
    co_await send(text + "\r\n");
}

io::Task<void> Exchange::switch_protocol(std::vector<Header> headers) {
    keeps_open_ = false;
    switched_ = true;
    co_await send(begin(101, headers) + "\r\n");
}

io::Task<void> Exchange::send_piece(std::string piece) {
    if (piece.empty() || request_.method == "HEAD") co_return;
    if (request_.is_http_1_0) {
        co_await send(std::move(piece));
    } else {
        co_await send(fmt::format("{:x}\r\n{}\r\n", piece.size(), piece));
    }
}

// Whatever the client sends meanwhile is not answered: the connection ends with the stream.
io::Task<void> Exchange::hear_end() {
    std::array<std::byte, 512> ignored{};
    while (true) {
        const auto count = co_await connection_.stream.receive(ignored).result();
        if (count && *count > 0) continue;
        if (count || count.error().kind() != Kind::cancelled) {
            broken_ = true;
            work_.cancel();
        }
        co_return;
    }
}

io::Task<void> Exchange::end() {
    hearing_.cancel();
    static_cast<void>(co_await hearing_.join().result());  // it was told to end
    const auto last_chunk = streams_ && !request_.is_http_1_0 && request_.method != "HEAD";
    if (last_chunk && !broken_) co_await send("0\r\n\r\n");
}

}  // namespace sheaf::http

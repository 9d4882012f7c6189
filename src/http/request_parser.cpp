#include "http/request_parser.h"

#include <fmt/core.h>

#include "http/arrived_body.h"

namespace sheaf::http {

namespace beast = boost::beast;

struct RequestParser::Beast {
    beast::http::request_parser<ArrivedBody> parser;
    bool head_checked = false;
};

namespace {

using Refused = std::unexpected<Rejection>;

Refused refuse(unsigned status, std::string reason) {
    return Refused{Rejection{status, std::move(reason)}};
}

// A head that is too long without the end of its first line is a target that is too long.
Refused refused(const beast::error_code& error, bool first_line_ended) {
    using Code = beast::http::error;
    if (error == Code::header_limit && !first_line_ended)
        return refuse(
            414, fmt::format("the target has more than {} bytes", RequestParser::longest_target));
    if (error == Code::header_limit)
        return refuse(431,
                      fmt::format("the head has more than {} bytes", RequestParser::longest_head));
    if (error == Code::body_limit)
        return refuse(413,
                      fmt::format("the body has more than {} bytes", RequestParser::longest_body));
    if (error == Code::bad_version) return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken");
    return refuse(400, fmt::format("it is no HTTP request: {}", error.message()));
}

bool has_line(std::span<const std::byte> bytes) {
    for (const auto byte : bytes)
        if (byte == std::byte{'\n'}) return true;
    return false;
}

}  // namespace

std::string_view ReceivedRequest::header(std::string_view name) const {
    for (const auto& header : headers)
        if (beast::iequals(header.name, name)) return header.value;
    return {};
}

RequestParser::RequestParser() : beast_(std::make_unique<Beast>()) {
    auto& parser = beast_->parser;
    parser.header_limit(longest_head);
    parser.body_limit(longest_body);
    parser.eager(true);
}

RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() = default;

std::expected<std::size_t, Rejection> RequestParser::take(std::span<const std::byte> bytes) {
    auto& parser = beast_->parser;
    std::size_t taken = 0;
    while (taken < bytes.size() && !parser.is_done()) {
        beast::error_code error;
        const auto rest = bytes.subspan(taken);
        const auto count = parser.put(boost::asio::buffer(rest.data(), rest.size()), error);
        taken += count;
        if (error == beast::http::error::need_more) break;
        if (error) return refused(error, taken > 0 || has_line(rest));
        if (count == 0) break;
    }
    // What the parser leaves is a piece of the head, or of what stands between chunks.
    if (!parser.is_done() && bytes.size() - taken > longest_head)
        return refuse(parser.is_header_done() ? 400 : 431, "a line without end");
    if (!parser.is_header_done() || std::exchange(beast_->head_checked, true)) return taken;
    if (auto checked = check_head(); !checked) return Refused{std::move(checked).error()};
    return taken;
}

std::expected<void, Rejection> RequestParser::check_head() const {
    const auto& message = beast_->parser.get();
    if (message.target().size() > longest_target)
        return refuse(414, fmt::format("the target has more than {} bytes", longest_target));
    if (message.version() != 11 && message.version() != 10)
        return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken");
    const auto hosts = message.count(beast::http::field::host);
    if (hosts > 1 || (hosts == 0 && message.version() == 11))
        return refuse(400, "a request of HTTP/1.1 has one Host header");
    const auto expectation = message[beast::http::field::expect];
    if (!expectation.empty() && !beast::iequals(expectation, "100-continue"))
        return refuse(417, "no expectation but 100-continue can be met");
    const auto coding = message[beast::http::field::transfer_encoding];
    if (!coding.empty() && !beast::iequals(coding, "chunked"))
        return refuse(501, "no transfer coding but chunked is understood");
    return {};
}

bool RequestParser::has_head() const {
    return beast_->parser.is_header_done();
}
bool RequestParser::is_done() const {
    return beast_->parser.is_done();
}
bool RequestParser::expects_continue() const {
    const auto& message = beast_->parser.get();
    return message.version() == 11 && !message[beast::http::field::expect].empty();
}
bool RequestParser::keeps_open() const {
    return beast_->parser.keep_alive();
}

ReceivedRequest RequestParser::take_request() {
    auto message = beast_->parser.release();
    ReceivedRequest request{.method = std::string{message.method_string()},
                            .target = std::string{message.target()},
                            .headers = {},
                            .body = std::move(message.body()),
                            .is_http_1_0 = message.version() == 10};
    for (const auto& field : message)
        request.headers.push_back({std::string{field.name_string()}, std::string{field.value()}});
    return request;
}

}  // namespace sheaf::http

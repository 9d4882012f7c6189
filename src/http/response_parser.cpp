#include "http/response_parser.h"

#include "http/arrived_body.h"

namespace sheaf::http {

namespace beast = boost::beast;

struct ResponseParser::Beast {
    beast::http::response_parser<ArrivedBody> parser;
};

namespace {

Failure refused(const beast::error_code& error) {
    return fail(Kind::corrupt, "it is no HTTP: {}", error.message());
}

}  // namespace

ResponseParser::ResponseParser() : beast_(std::make_unique<Beast>()) {
    auto& parser = beast_->parser;
    parser.header_limit(longest_head);
    // Whoever takes the body limits it.
    parser.body_limit(boost::none);
    parser.eager(true);
}

ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;
ResponseParser& ResponseParser::operator=(ResponseParser&&) noexcept = default;
ResponseParser::~ResponseParser() = default;

Result<std::size_t> ResponseParser::take(std::span<const std::byte> bytes) {
    auto& parser = beast_->parser;
    std::size_t taken = 0;
    while (taken < bytes.size() && !parser.is_done()) {
        beast::error_code error;
        const auto rest = bytes.subspan(taken);
        const auto count = parser.put(boost::asio::buffer(rest.data(), rest.size()), error);
        taken += count;
        if (error == beast::http::error::need_more) break;
        if (error) return refused(error);
        if (count == 0) break;
    }
    return taken;
}

Result<void> ResponseParser::end() {
    beast::error_code error;
    // Of nothing at all Beast says that it was whole.
    if (has_head()) beast_->parser.put_eof(error);
    if (error || !has_head()) return fail(Kind::unavailable, "closed in the middle of a response");
    return {};
}

bool ResponseParser::has_head() const {
    return beast_->parser.is_header_done();
}
bool ResponseParser::is_done() const {
    return beast_->parser.is_done();
}
bool ResponseParser::keeps_open() const {
    return beast_->parser.keep_alive();
}
unsigned ResponseParser::status() const {
    return beast_->parser.get().result_int();
}

std::vector<std::string> ResponseParser::values_of(std::string_view header) const {
    std::vector<std::string> values;
    const auto [first, last] = beast_->parser.get().equal_range({header.data(), header.size()});
    for (auto field = first; field != last; ++field) {
        const auto value = field->value();
        values.emplace_back(value.data(), value.size());
    }
    return values;
}

std::string ResponseParser::take_body() {
    return std::exchange(beast_->parser.get().body(), {});
}

}  // namespace sheaf::http

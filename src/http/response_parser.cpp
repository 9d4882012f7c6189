#include "http/response_parser.h"

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/parser.hpp>

namespace sheaf::http {

namespace beast = boost::beast;

namespace {

// Grows by what has come. Beast's own body of a string makes room for the length that a response
// announces, which may be any.
struct ArrivedBody {
    using value_type = std::string;

    class reader {  // NOLINT(readability-identifier-naming): as Beast names it
      public:
        template <bool is_request, class Fields>
        reader(beast::http::header<is_request, Fields>&, value_type& body) : body_(body) {}
        void init(const boost::optional<std::uint64_t>&, beast::error_code& error) { error = {}; }
        template <class Buffers>
        std::size_t put(const Buffers& buffers, beast::error_code& error) {
            error = {};
            const auto before = body_.size();
            for (const auto buffer : beast::buffers_range_ref(buffers))
                body_.append(static_cast<const char*>(buffer.data()), buffer.size());
            return body_.size() - before;
        }
        void finish(beast::error_code& error) { error = {}; }

      private:
        value_type& body_;
    };
};

}  // namespace

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

std::string ResponseParser::take_body() {
    return std::exchange(beast_->parser.get().body(), {});
}

}  // namespace sheaf::http

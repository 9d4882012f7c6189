#include "cli/api_client.h"

#include <cstdio>
#include <cstdlib>

#include "base/utf8.h"
#include "io/make_loop.h"
#include "io/task_group.h"
#include "node/unix_socket.h"

namespace sheaf::cli {

namespace {

// A page of the largest objects is less.
constexpr std::size_t longest_answer = std::size_t{1} << 30;
constexpr std::size_t longest_line = std::size_t{4} << 20;

Kind kind_of(unsigned status, std::string_view reason) {
    switch (status) {
        case 401:
        case 403: return Kind::denied;
        case 404: return Kind::not_found;
        case 409: return reason == "AlreadyExists" ? Kind::exists : Kind::conflict;
        case 413: return Kind::exhausted;
        case 405:
        case 406:
        case 415:
        case 501: return Kind::unsupported;
        case 504: return Kind::timed_out;
        default: return status >= 500 ? Kind::unavailable : Kind::invalid;
    }
}

http::Request http_request(ApiRequest request) {
    http::Request made{
        std::move(request.method), std::move(request.target), {}, std::move(request.body)};
    made.headers.push_back({"Accept", std::string{request.accept}});
    made.headers.push_back({"User-Agent", "sheaf/" SHEAF_VERSION});
    if (!made.body.empty())
        made.headers.push_back({"Content-Type", std::string{request.content_type}});
    return made;
}

// RFC 9111, section 5.5: code, agent, and the text in quotes.
void print_warnings(const http::ClientConnection& connection) {
    for (const auto& value : connection.values_of("Warning")) {
        const auto begin = value.find('"');
        const auto end = value.rfind('"');
        const auto text = begin < end ? value.substr(begin + 1, end - begin - 1) : value;
        std::fputs(fmt::format("Warning: {}\n", showable(text)).c_str(), stderr);
    }
}

}  // namespace

Error refusal_of(unsigned status, std::string_view body) {
    const auto document = Json::parse(body);
    const auto message = document ? document->text_at({"message"}) : std::string_view{};
    const auto reason = document ? document->text_at({"reason"}) : std::string_view{};
    auto text = message.empty() ? fmt::format("the server answers {}", status) : std::string{};
    return Error{kind_of(status, reason), text + showable(message)};
}

Result<std::unique_ptr<ApiClient>> ApiClient::create(std::string socket) {
    return std::unique_ptr<ApiClient>{new ApiClient{std::move(socket), TRY(io::make_loop())}};
}

Result<std::unique_ptr<ApiClient>> ApiClient::of(const Arguments& arguments) {
    const auto* set = std::getenv("SHEAF_SOCKET");
    return create(TRY(arguments.one("socket", set && *set ? set : default_socket)));
}

Result<Fd> ApiClient::connect() const {
    auto socket = node::connect_to(socket_);
    if (socket) return socket;
    const auto number = socket.error().os_error();
    if (number == ENOENT || number == ECONNREFUSED)
        return fail(Kind::unavailable,
                    "no daemon listens at {}; start one with \"systemctl start sheaf\" or \"sheaf "
                    "daemon\", or name another with --socket",
                    socket_);
    if (number == EACCES || number == EPERM)
        return fail(Kind::denied,
                    "{}: permission denied; be root, the user who runs the daemon, or in the group "
                    "\"sheaf\"",
                    socket_);
    return socket;
}

Result<void> ApiClient::ensure_connection() {
    if (connection_ && connection_->is_free()) return {};
    received_.clear();
    auto stream = std::make_unique<io::SocketStream>(*loop_, TRY(connect()));
    connection_ = std::make_unique<http::ClientConnection>(std::move(stream), "sheaf");
    return {};
}

Result<std::string> ApiClient::answer_to(ApiRequest request) {
    TRY(ensure_connection());
    auto asking = connection_->ask(http_request(std::move(request)), longest_answer);
    auto response = TRY_WITHIN(io::run(*loop_, std::move(asking)), "asking the daemon");
    print_warnings(*connection_);
    if (response.status >= 300) return Failure{refusal_of(response.status, response.body)};
    return std::move(response.body);
}

Result<Json> ApiClient::ask(ApiRequest request) {
    const auto text = TRY(answer_to(std::move(request)));
    return TRY_WITHIN(Json::parse(text), "what the daemon answers");
}

Result<void> ApiClient::tell(ApiRequest request) {
    TRY(answer_to(std::move(request)));
    return {};
}

io::Task<unsigned> ApiClient::start(http::Request request) {
    const auto status = co_await connection_->begin(std::move(request));
    if (status >= 300)
        while (auto more = co_await connection_->piece()) received_ += *more;
    co_return status;
}

Result<void> ApiClient::begin(ApiRequest request) {
    TRY(ensure_connection());
    const auto status =
        TRY_WITHIN(io::run(*loop_, start(http_request(std::move(request)))), "asking the daemon");
    if (status >= 300) return Failure{refusal_of(status, received_)};
    return {};
}

io::Task<std::optional<std::string>> ApiClient::read_line() {
    std::size_t looked_at = 0;
    while (true) {
        const auto end = received_.find('\n', looked_at);
        if (end != received_.npos) {
            auto line = received_.substr(0, end);
            received_.erase(0, end + 1);
            co_return line;
        }
        looked_at = received_.size();
        if (looked_at > longest_line) co_await fail(Kind::corrupt, "a line without end");
        const auto more = co_await connection_->piece();
        if (!more) co_return std::nullopt;
        received_ += *more;
    }
}

Result<std::optional<std::string>> ApiClient::next_line() {
    return TRY_WITHIN(io::run(*loop_, read_line()), "hearing of changes");
}

Result<std::optional<std::string>> ApiClient::next_piece() {
    return TRY_WITHIN(io::run(*loop_, connection_->piece()), "hearing the daemon");
}

}  // namespace sheaf::cli

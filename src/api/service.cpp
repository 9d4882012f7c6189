#include "api/service.h"

#include <algorithm>
#include <array>

#include "api/discovery.h"
#include "api/openapi.h"
#include "api/service_answers.h"
#include "base/bytes.h"
#include "base/defer.h"
#include "base/json_path.h"
#include "http/websocket.h"

namespace sheaf::api {

namespace {

// As Kubernetes names it in answers: what clients ask for, with an "@", is no media type to them.
constexpr std::string_view protobuf_type =
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

http::Reply reply_of(Answer answer) {
    http::Reply reply{.status = answer.status, .headers = {}, .body = std::move(answer.body)};
    reply.headers.push_back({"Content-Type", "application/json"});
    reply.headers.push_back({"Cache-Control", "no-cache, private"});
    // RFC 9111, section 5.5, as Kubernetes writes it. A warning has no quotes but its own.
    for (auto& warning : answer.warnings) {
        std::erase(warning, '\\');
        std::ranges::replace(warning, '"', '\'');
        reply.headers.push_back({"Warning", fmt::format("299 - \"{}\"", warning)});
    }
    return reply;
}

// What says no more than that the server is there; who balances loads has no certificate.
bool is_probe(std::string_view target) {
    const auto path = target.substr(0, target.find('?'));
    return path == "/healthz" || path == "/readyz" || path == "/livez";
}

// As virtctl asks for it.
constexpr std::string_view console_protocol = "plain.kubevirt.io";

constexpr Deed reading_metrics{
    .verb = "get", .group = {}, .resource = "metrics", .namespaced = false};

// RFC 9110, section 11.6.1.
http::Reply unauthorized() {
    auto reply = reply_of(failure(401, "Unauthorized", "Unauthorized"));
    reply.headers.push_back({"WWW-Authenticate", "Bearer"});
    return reply;
}

// Each ends the other.
io::Task<void> carry_out(http::WebSocket& socket, io::ByteStream& console, io::TaskGroup& both) {
    std::array<std::byte, 8192> buffer;
    while (true) {
        const auto count = co_await console.receive(buffer).result();
        if (!count || *count == 0) break;
        const auto sent =
            co_await socket.send(std::string{as_text(std::span{buffer}.first(*count))}).result();
        if (!sent) break;
    }
    both.cancel();
}

io::Task<void> carry_in(http::WebSocket& socket, io::ByteStream& console, io::TaskGroup& both) {
    while (true) {
        const auto message = co_await socket.receive().result();
        if (!message || !*message) break;
        const auto sent = co_await console.send(as_bytes(**message)).result();
        if (!sent) break;
    }
    both.cancel();
}

// What there is at the root, for people.
Json paths() {
    Json::Array list;
    for (const auto* path : {"/api", "/apis", "/healthz", "/livez", "/metrics", "/openapi/v2",
                             "/openapi/v3", "/readyz", "/version"})
        list.push_back(path);
    return Json::object({{"paths", std::move(list)}});
}

}  // namespace

std::optional<http::Rejection> Service::refusal_of(const http::Peer& peer) {
    if (!peer.credentials || access_.knows(*peer.credentials)) return {};
    return http::Rejection{403,
                           fmt::format("user {} may not use this server", peer.credentials->user)};
}

io::Task<void> Service::send(http::Exchange& exchange, Answer answer) {
    co_await exchange.reply(reply_of(std::move(answer)));
}

io::Task<void> Service::send_text(http::Exchange& exchange, std::string text, std::string type) {
    http::Reply reply{.status = 200, .headers = {}, .body = std::move(text)};
    reply.headers.push_back({"Content-Type", std::move(type)});
    co_await exchange.reply(std::move(reply));
}

io::Task<void> Service::handle(http::Exchange& exchange) {
    const auto began = loop_.now();
    Asked asked;
    asked.user = access_.user_of(exchange.peer(), exchange.request().header("Authorization"));
    const auto answered = co_await answer(exchange, asked).result();
    metrics_.note(asked.verb, exchange.status(), loop_.now() - began);
    co_await answered;
}

io::Task<void> Service::answer(http::Exchange& exchange, Asked& asked) {
    const auto& received = exchange.request();
    const auto reads = received.method == "GET" || received.method == "HEAD";
    if (reads && is_probe(received.target))
        co_return co_await send_text(exchange, "ok", "text/plain");
    if (!asked.user) co_return co_await exchange.reply(unauthorized());
    auto request = parse_request(received);
    if (!request) co_return co_await send(exchange, std::move(request).error());
    if (!request->place && !request->call) {
        if (!reads) co_return co_await send(exchange, method_not_allowed(received.method));
        co_return co_await send_document(exchange, *request, *asked.user);
    }
    const auto deed = deed_of(*request, received.method);
    asked.verb = request->call ? metric_verb_of_call(request->call->verb) : metric_verb(deed.verb);
    if (!access_.allows(*asked.user, deed)) {
        const Subject subject{request->call ? request->call->kind : request->place->kind,
                              std::string{deed.name}};
        auto refused = failure(403, "Forbidden", api::refusal_of(*asked.user, deed), subject);
        co_return co_await send(exchange, std::move(refused));
    }
    if (request->call) co_return co_await handle_call(exchange, *request);
    co_await handle_objects(exchange, *std::move(request), *asked.user);
}

io::Task<void> Service::send_document(http::Exchange& exchange, const Request& request,
                                      const User& user) {
    const auto& path = request.target.path;
    if (path.size() == 1 && path[0] == "metrics") {
        if (!access_.allows(user, reading_metrics))
            co_return co_await send(
                exchange, failure(403, "Forbidden", api::refusal_of(user, reading_metrics)));
        co_return co_await send_text(exchange, metrics_.text(),
                                     "text/plain; version=0.0.4; charset=utf-8");
    }
    if (!path.empty() && path[0] == "openapi") co_return co_await send_openapi(exchange, request);
    auto document = path.empty() ? paths() : discovery_document(path);
    if (!document)
        co_return co_await send(
            exchange, failure(404, "NotFound", "the server could not find the requested resource"));
    Answer answer{.status = 200, .body = document->text(), .warnings = {}};
    co_await send(exchange, std::move(answer));
}

io::Task<void> Service::handle_call(http::Exchange& exchange, const Request& request) {
    const auto& received = exchange.request();
    const auto& call = *request.call;
    if (received.method != (is_shown(call.verb) ? "GET" : "PUT"))
        co_return co_await send(exchange, method_not_allowed(received.method));
    if (call.verb == "console") co_return co_await serve_console(exchange, call);
    if (call.verb == "log") co_return co_await serve_log(exchange, request);
    auto answer = co_await machines_.run(call, received.body);
    co_await send(exchange, std::move(answer));
}

// What follows ends with the machine, or with the client.
io::Task<void> Service::serve_log(http::Exchange& exchange, const Request& request) {
    const auto options = log_options(request);
    if (!options) co_return co_await send(exchange, options.error());
    auto log = co_await machines_.open_log(*request.call, *options);
    if (!log) co_return co_await send(exchange, std::move(log).error());
    if (!log->stream) co_return co_await send_text(exchange, std::move(log->text), "text/plain");
    std::vector<http::Header> headers;
    headers.push_back({"Content-Type", "text/plain"});
    co_await exchange.begin_stream(200, std::move(headers));
    std::array<std::byte, 8192> buffer;
    while (true) {
        const auto count = co_await log->stream->receive(buffer);
        if (count == 0) co_return;
        co_await exchange.send_piece(std::string{as_text(std::span{buffer}.first(count))});
    }
}

io::Task<void> Service::serve_console(http::Exchange& exchange, MachineCall call) {
    auto console = co_await machines_.open_console(std::move(call));
    if (!console) co_return co_await send(exchange, std::move(console).error());
    if (!co_await http::WebSocket::shake_hands(exchange, std::string{console_protocol})) co_return;
    http::WebSocket socket{exchange};
    io::TaskGroup both;
    both.start(carry_out(socket, **console, both));
    both.start(carry_in(socket, **console, both));
    static_cast<void>(co_await both.join().result());  // both look at what happens to them
    co_await socket.end(http::CloseCode::normal);
}

io::Task<void> Service::send_openapi(http::Exchange& exchange, const Request& request) {
    const std::span<const std::string> path = request.target.path;
    std::optional<Json> document;
    if (path.size() == 2 && path[1] == "v2") {
        if (request.form.protobuf) {
            http::Reply reply{.status = 200, .headers = {}, .body = openapi_v2_protobuf()};
            reply.headers.push_back({"Content-Type", std::string{protobuf_type}});
            co_return co_await exchange.reply(std::move(reply));
        }
        document = openapi_v2();
    } else if (path.size() == 2 && path[1] == "v3") {
        document = openapi_v3_index();
    } else if (path.size() > 2 && path[1] == "v3") {
        document = openapi_v3(path.subspan(2));
    }
    auto answer =
        document ? Answer{.status = 200, .body = document->text(), .warnings = {}}
                 : failure(404, "NotFound", "the server could not find the requested resource");
    co_await send(exchange, std::move(answer));
}

}  // namespace sheaf::api

#include "api/service.h"

#include <algorithm>
#include <charconv>

#include "api/discovery.h"
#include "api/openapi.h"
#include "api/watch_stream.h"
#include "base/json_path.h"

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

Answer method_not_allowed(std::string_view method) {
    return failure(405, "MethodNotAllowed",
                   fmt::format("the server does not allow this method on the requested resource: "
                               "{}",
                               json::in_quotes(method)));
}

// As a list of Kubernetes; the objects are there as text already.
std::string list_text(const Kind& kind, const Listing& listing, const Json& metadata) {
    std::string text = fmt::format(R"({{"kind":"{}List","apiVersion":"{}","metadata":)", kind.name,
                                   kind.api_version());
    metadata.write(text);
    text += R"(,"items":[)";
    for (const auto& object : listing.objects) {
        if (&object != &listing.objects.front()) text += ',';
        text += object;
    }
    return text + "]}";
}

Result<std::string> table_text(const Kind& kind, std::span<const std::string> objects,
                               Json metadata, Include include, WallClock::TimePoint now) {
    std::vector<Json> parsed;
    for (const auto& object : objects) parsed.push_back(TRY(Json::parse(object)));
    return table_of(kind, parsed, std::move(metadata), include, now).text();
}

bool is_probe(std::span<const std::string> path) {
    return path.size() == 1 && (path[0] == "healthz" || path[0] == "readyz" || path[0] == "livez");
}

// What there is at the root, for people.
Json paths() {
    Json::Array list;
    for (const auto* path : {"/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3",
                             "/readyz", "/version"})
        list.push_back(path);
    return Json::object({{"paths", std::move(list)}});
}

}  // namespace

io::Task<void> Service::send(http::Exchange& exchange, Answer answer) {
    co_await exchange.reply(reply_of(std::move(answer)));
}

io::Task<void> Service::handle(http::Exchange& exchange) {
    const auto& peer = exchange.peer();
    if (peer && peer->user != 0 && peer->user != owner_)
        co_return co_await send(
            exchange,
            failure(403, "Forbidden", fmt::format("user {} may not use this server", peer->user)));
    auto request = parse_request(exchange.request());
    if (!request) co_return co_await send(exchange, std::move(request).error());
    if (request->place) co_return co_await handle_objects(exchange, *std::move(request));
    const auto& method = exchange.request().method;
    if (method != "GET" && method != "HEAD")
        co_return co_await send(exchange, method_not_allowed(method));
    const auto& path = request->target.path;
    if (is_probe(path)) {
        http::Reply reply{.status = 200, .headers = {}, .body = "ok"};
        reply.headers.push_back({"Content-Type", "text/plain"});
        co_return co_await exchange.reply(std::move(reply));
    }
    if (!path.empty() && path[0] == "openapi") co_return co_await send_openapi(exchange, *request);
    auto document = path.empty() ? paths() : discovery_document(path);
    if (!document)
        co_return co_await send(
            exchange, failure(404, "NotFound", "the server could not find the requested resource"));
    Answer answer{.status = 200, .body = document->text(), .warnings = {}};
    co_await send(exchange, std::move(answer));
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

io::Task<void> Service::handle_objects(http::Exchange& exchange, Request request) {
    const auto& received = exchange.request();
    const auto& method = received.method;
    const auto one = !request.place->name.empty();
    if (method == "GET" || method == "HEAD") {
        const auto watches = method == "GET" && request.is_set("watch");
        if (!one && watches) co_return co_await watch(exchange, request);
        if (!one) co_return co_await send(exchange, co_await list(request));
        auto answer = co_await objects_.get(*request.place);
        if (request.form.table && answer.ok())
            answer.body =
                co_await table_text(*request.place->kind, std::span{&answer.body, 1},
                                    Json::object({}), request.form.include, objects_.clock().now());
        co_return co_await send(exchange, std::move(answer));
    }
    if (method == "DELETE" && one && !request.place->status)
        co_return co_await send(exchange, co_await remove(received, request));
    const auto writes = one ? method == "PUT" || method == "PATCH" : method == "POST";
    if (!writes) co_return co_await send(exchange, method_not_allowed(method));
    auto answer = co_await write(received, std::move(request));
    co_await send(exchange, std::move(answer));
}

io::Task<Answer> Service::list(const Request& request) {
    auto options = list_options(request);
    if (!options) co_return std::move(options).error();
    const auto listing = co_await objects_.list(*request.place, *std::move(options));
    if (!listing) co_return listing.error();
    auto metadata = Json::object({{"resourceVersion", fmt::format("{}", listing->revision)}});
    if (!listing->token.empty()) metadata["continue"] = listing->token;
    const auto& kind = *request.place->kind;
    Answer answer;
    if (request.form.table) {
        answer.body = co_await table_text(kind, listing->objects, std::move(metadata),
                                          request.form.include, objects_.clock().now());
    } else {
        answer.body = list_text(kind, *listing, metadata);
    }
    co_return answer;
}

io::Task<void> Service::watch(http::Exchange& exchange, const Request& request) {
    auto options = list_options(request);
    if (!options) co_return co_await send(exchange, std::move(options).error());
    if (request.target.parameter("sendInitialEvents"))
        co_return co_await send(
            exchange, failure(422, "Invalid", "sendInitialEvents is not supported: list first"));
    WatchOptions wanted;
    wanted.selector = std::move(options->selector);
    wanted.bookmarks = request.is_set("allowWatchBookmarks");
    wanted.table = request.form.table;
    wanted.include = request.form.include;
    const auto number = [&](std::string_view name) {
        const auto text = request.parameter(name);
        std::uint64_t value = 0;
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    };
    if (const auto revision = number("resourceVersion")) wanted.after = revision;
    if (const auto seconds = number("timeoutSeconds"))
        wanted.limit = std::chrono::seconds{std::min<std::uint64_t>(seconds, 24 * 3600)};
    WatchStream stream{loop_, objects_, *request.place, std::move(wanted), exchange};
    co_await stream.run();
}

io::Task<Answer> Service::write(const http::ReceivedRequest& received, Request request) {
    auto& place = *request.place;
    const auto options = write_options(request);
    if (!options) co_return options.error();
    if (received.method == "PATCH") {
        auto patch = parse_patch(received, *place.kind);
        if (!patch) co_return std::move(patch).error();
        co_return co_await objects_.patch(place, *std::move(patch), *options);
    }
    auto body = json_body(received);
    if (!body) co_return std::move(body).error();
    if (received.method == "PUT")
        co_return co_await objects_.replace(place, *std::move(body), *options);
    if (place.kind->namespaced() && place.name_space.empty())
        co_return bad_request(
            "objects of this kind are made in a namespace: POST to "
            "namespaces/NAME/" +
            std::string{place.kind->plural});
    co_return co_await objects_.create(place, *std::move(body), *options);
}

io::Task<Answer> Service::remove(const http::ReceivedRequest& received, const Request& request) {
    auto options = delete_options(request, received.body);
    if (!options) co_return std::move(options).error();
    co_return co_await objects_.remove(*request.place, *std::move(options));
}

}  // namespace sheaf::api

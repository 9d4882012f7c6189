// What is asked about objects: lists, watches, and every way to change them.

#include <charconv>

#include "api/service.h"
#include "api/service_answers.h"
#include "api/watch_stream.h"
#include "base/defer.h"

namespace sheaf::api {

namespace {

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

}  // namespace

io::Task<void> Service::handle_objects(http::Exchange& exchange, Request request,
                                       const User& user) {
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
    if (method == "DELETE" && !one)
        co_return co_await send(exchange, co_await remove_all(received, request));
    const auto writes = one ? method == "PUT" || method == "PATCH" : method == "POST";
    if (!writes) co_return co_await send(exchange, method_not_allowed(method));
    auto answer = co_await write(received, std::move(request), user);
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
    metrics_.watches().add(1);
    const Defer over{[this] { metrics_.watches().add(-1); }};
    WatchStream stream{loop_, objects_, *request.place, std::move(wanted), exchange};
    co_await stream.run();
}

io::Task<Answer> Service::write(const http::ReceivedRequest& received, Request request,
                                const User& user) {
    auto& place = *request.place;
    auto options = write_options(request);
    if (!options) co_return options.error();
    options->may_reach_host = access_.is_master(user);
    if (received.method == "PATCH") {
        auto patch = parse_patch(received, request);
        if (!patch) co_return std::move(patch).error();
        co_return co_await objects_.patch(place, *std::move(patch), *options);
    }
    auto body = object_body(received, *place.kind);
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

// Those that are there when it is asked, one after another: what is made meanwhile stays. Gives
// them as they were.
io::Task<Answer> Service::remove_all(const http::ReceivedRequest& received,
                                     const Request& request) {
    auto wanted = list_options(request);
    if (!wanted) co_return std::move(wanted).error();
    const auto& kind = *request.place->kind;
    if (&kind == &namespace_kind || (kind.namespaced() && request.place->name_space.empty()))
        co_return method_not_allowed(received.method);
    const auto listing = co_await objects_.list(*request.place, *std::move(wanted));
    if (!listing) co_return listing.error();
    for (const auto& text : listing->objects) {
        auto options = delete_options(request, received.body);
        if (!options) co_return std::move(options).error();
        const auto object = co_await Json::parse(text);
        auto place = *request.place;
        place.name = object.text_at({"metadata", "name"});
        options->uid = object.text_at({"metadata", "uid"});
        const auto removed = co_await objects_.remove(std::move(place), *std::move(options));
        const auto gone = removed.status == 404 || removed.status == 409;
        if (!removed.ok() && !gone) co_return removed;
    }
    auto metadata = Json::object({{"resourceVersion", fmt::format("{}", listing->revision)}});
    if (!listing->token.empty()) metadata["continue"] = listing->token;
    Answer answer;
    answer.body = list_text(kind, *listing, metadata);
    co_return answer;
}

}  // namespace sheaf::api

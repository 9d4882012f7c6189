#include "api/watch_stream.h"

#include "api/stored_object.h"
#include "io/time_limit.h"

namespace sheaf::api {

namespace {

constexpr std::chrono::seconds after_failure{1};

std::vector<http::Header> headers_of_json() {
    std::vector<http::Header> headers;
    headers.push_back({"Content-Type", "application/json"});
    headers.push_back({"Cache-Control", "no-cache, private"});
    return headers;
}

std::string line(std::string_view type, std::string_view object) {
    return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, object);
}

// What is known of an object whose last state is forgotten: where it was.
kv::Record nameless(const kv::Change& change) {
    const auto slash = change.key.rfind('/');
    const auto before = change.key.rfind('/', slash - 1);
    auto metadata = Json::object({{"name", change.key.substr(slash + 1)}});
    if (const auto home = change.key.substr(before + 1, slash - before - 1); home != "-")
        metadata["namespace"] = home;
    kv::Record record{.key = change.key, .value = {}, .created = 0, .modified = change.revision};
    record.value = stored_text(Json::object({{"metadata", std::move(metadata)}}));
    return record;
}

}  // namespace

io::Task<void> WatchStream::run() {
    auto after = options_.after;
    std::string beginning;
    if (!after) {
        ListOptions options;
        options.selector = options_.selector;
        const auto listing = co_await objects_.list(place_, std::move(options));
        if (!listing) {
            http::Reply reply{listing.error().status, headers_of_json(), listing.error().body};
            co_return co_await exchange_.reply(std::move(reply));
        }
        for (const auto& object : listing->objects) beginning += co_await event("ADDED", object);
        after = listing->revision;
    }
    co_await exchange_.begin_stream(200, headers_of_json());
    co_await exchange_.send_piece(std::move(beginning));
    const auto watch = objects_.store().watch(prefix_of(*place_.kind, place_.name_space), *after);
    co_await follow(*watch);
}

// One task alone sends: what is waited for is limited by the next bookmark and by the end.
io::Task<void> WatchStream::follow(kv::Watch& watch) {
    const auto end = loop_.now() + options_.limit;
    auto bookmark = loop_.now() + between_bookmarks;
    while (loop_.now() < end) {
        const auto until = options_.bookmarks ? std::min(end, bookmark) : end;
        auto changes = co_await io::within(loop_, until - loop_.now(), watch.next()).result();
        if (changes) {
            co_await tell(*std::move(changes));
        } else if (changes.error().kind() == sheaf::Kind::cancelled) {
            co_await std::move(changes);
        } else if (loop_.now() >= until) {
            if (options_.bookmarks) co_await tell_bookmark(watch.position());
            bookmark = loop_.now() + between_bookmarks;
        } else if (co_await tell_failure(changes.error())) {
            co_return;
        }
    }
}

// Gives whether the watch is over.
io::Task<bool> WatchStream::tell_failure(Error error) {
    const auto passes =
        error.kind() == sheaf::Kind::unavailable || error.kind() == sheaf::Kind::timed_out;
    if (passes) {
        co_await loop_.sleep(after_failure);
        co_return false;
    }
    co_await exchange_.send_piece(line("ERROR", failure(error).body));
    co_return true;
}

io::Task<void> WatchStream::tell_bookmark(kv::Revision revision) {
    auto metadata = Json::object({{"resourceVersion", fmt::format("{}", revision)}});
    const auto object = Json::object({{"kind", place_.kind->name},
                                      {"apiVersion", place_.kind->api_version()},
                                      {"metadata", std::move(metadata)}});
    co_await exchange_.send_piece(line("BOOKMARK", object.text()));
}

io::Task<void> WatchStream::tell(std::vector<kv::Change> changes) {
    auto text = events_of(changes);
    if (!text) {
        co_await exchange_.send_piece(line("ERROR", failure(text.error()).body));
        co_await Failure{Error{text.error()}};
    }
    co_await exchange_.send_piece(*std::move(text));
}

Result<std::string> WatchStream::events_of(const std::vector<kv::Change>& changes) const {
    std::string text;
    for (const auto& change : changes) text += TRY(event_of(change));
    return text;
}

// An object that begins to be selected is added, one that ceases to be is deleted.
Result<std::string> WatchStream::event_of(const kv::Change& change) const {
    const auto is_new = change.now && change.now->created == change.revision;
    const auto was = is_new ? false : !change.before || TRY(selects(change.before));
    const auto is = change.now && TRY(selects(change.now));
    if (is) {
        const auto object = TRY(published_text(*place_.kind, *change.now));
        return event(was ? "MODIFIED" : "ADDED", object);
    }
    if (!was) return std::string{};
    const auto& last = change.now ? *change.now : change.before ? *change.before : nameless(change);
    return event("DELETED", TRY(published_text(*place_.kind, last, change.revision)));
}

Result<bool> WatchStream::selects(const std::optional<kv::Record>& record) const {
    if (options_.selector.selects_all()) return true;
    return options_.selector.selects(TRY(published_object(*place_.kind, *record)));
}

Result<std::string> WatchStream::event(std::string_view type, const std::string& object) const {
    if (!options_.table) return line(type, object);
    const auto parsed = TRY(Json::parse(object));
    auto metadata =
        Json::object({{"resourceVersion", parsed.text_at({"metadata", "resourceVersion"})}});
    const auto table = table_of(*place_.kind, std::span{&parsed, 1}, std::move(metadata),
                                options_.include, objects_.clock().now());
    return line(type, table.text());
}

}  // namespace sheaf::api

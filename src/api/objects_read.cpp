#include <charconv>

#include "api/objects.h"
#include "api/stored_object.h"
#include "base/base64.h"

namespace sheaf::api {

namespace {

struct Token {
    kv::Revision revision = 0;
    std::string after;
};

// "REVISION/KEY" as base64: opaque for clients, and checked all the same.
std::optional<Token> parse_token(const std::string& text, const std::string& prefix) {
    const auto plain = from_base64(text);
    if (!plain) return {};
    Token token;
    const auto slash = plain->find('/');
    const auto* end = plain->data() + std::min(slash, plain->size());
    const auto parsed = std::from_chars(plain->data(), end, token.revision);
    if (slash == plain->npos || parsed.ec != std::errc{} || parsed.ptr != end) return {};
    token.after = plain->substr(slash + 1);
    if (!token.after.starts_with(prefix) || token.after.size() > kv::longest_key) return {};
    return token;
}

// Whether it is among those that were asked for.
Result<bool> selects(const Place& place, const Selector& selector, const kv::Record& record) {
    if (selector.selects_all()) return true;
    return selector.selects(TRY(published_object(*place.kind, record)));
}

// Gives whether the listing has all that it may have.
Result<bool> take(const Place& place, const ListOptions& options, const kv::Page& page,
                  Listing& listing) {
    for (const auto& record : page.records) {
        if (!TRY(selects(place, options.selector, record))) continue;
        listing.objects.push_back(TRY(published_text(*place.kind, record)));
        if (listing.objects.size() != options.limit) continue;
        if (page.more || &record != &page.records.back())
            listing.token = to_base64(fmt::format("{}/{}", page.revision, record.key));
        return true;
    }
    return !page.more;
}

}  // namespace

io::Task<Answer> Objects::get(Place place) {
    const auto record =
        co_await store_.get(key_of(*place.kind, place.name_space, place.name)).result();
    if (!record) co_return failure(record.error());
    if (!*record) co_return not_found(place.subject());
    Answer answer;
    answer.body = co_await published_text(*place.kind, **record);
    co_return answer;
}

io::Task<std::expected<Listing, Answer>> Objects::list(Place place, ListOptions options) {
    kv::ListRequest request{.prefix = prefix_of(*place.kind, place.name_space),
                            .after = {},
                            .limit = kv::largest_page,
                            .at = options.at};
    if (!options.token.empty()) {
        const auto token = parse_token(options.token, request.prefix);
        if (!token) co_return std::unexpected{bad_request("continue key is not valid")};
        request.at = token->revision;
        request.after = token->after;
    }
    Listing listing;
    for (bool done = false; !done;) {
        const auto page = co_await store_.list(request).result();
        if (!page) co_return std::unexpected{failure(page.error())};
        listing.revision = request.at = page->revision;
        done = co_await take(place, options, *page, listing);
        if (!page->records.empty()) request.after = page->records.back().key;
    }
    co_return listing;
}

}  // namespace sheaf::api

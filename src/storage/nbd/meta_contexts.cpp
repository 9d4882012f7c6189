#include "storage/nbd/meta_contexts.h"

#include <algorithm>

#include "storage/nbd/protocol.h"

namespace sheaf::nbd {

namespace {

constexpr std::string_view dirty_prefix = "sheaf:dirty:";

bool is_wildcard(std::string_view query) {
    return query == "base:" || query == "sheaf:" || query == dirty_prefix;
}

bool finds(std::string_view query, const MetaContext& context) {
    return query == context.name || (is_wildcard(query) && context.name.starts_with(query));
}

}  // namespace

std::vector<MetaContext> contexts_of(const Export& exported) {
    std::vector<MetaContext> contexts;
    if (exported.extents)
        contexts.push_back(
            {"base:allocation", 1, MetaContext::Meaning::allocation, exported.extents});
    std::uint32_t id = 1;
    for (const auto& changes : exported.changes)
        contexts.push_back({std::string{dirty_prefix} + changes.snapshot, ++id,
                            MetaContext::Meaning::dirty, changes.extents});
    return contexts;
}

std::vector<MetaContext> find_contexts(const Export& exported,
                                       std::span<const std::string> queries) {
    auto contexts = contexts_of(exported);
    if (queries.empty()) return contexts;
    std::erase_if(contexts, [&](const MetaContext& context) {
        return std::ranges::none_of(queries,
                                    [&](const auto& query) { return finds(query, context); });
    });
    return contexts;
}

Result<std::vector<MetaContext>> select_contexts(const Export& exported,
                                                 std::span<const std::string> queries) {
    auto contexts = contexts_of(exported);
    std::erase_if(contexts, [&](const MetaContext& context) {
        return std::ranges::find(queries, context.name) == queries.end();
    });
    if (contexts.size() > most_contexts)
        return fail(Kind::exhausted, "{} contexts, at most {} at once", contexts.size(),
                    most_contexts);
    return contexts;
}

std::uint32_t state_of(MetaContext::Meaning meaning, storage::Extent::Kind kind) {
    using Kind = storage::Extent::Kind;
    if (meaning == MetaContext::Meaning::dirty) return kind == Kind::hole ? 0 : state_dirty;
    switch (kind) {
        case Kind::hole: return state_hole | state_zero;
        case Kind::zero: return state_zero;
        case Kind::data: break;
    }
    return 0;
}

}  // namespace sheaf::nbd

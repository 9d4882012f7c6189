#include "cli/merge_patch.h"

#include <algorithm>

namespace sheaf::cli {

namespace {

enum class Keep : std::uint8_t { all, values, removals };

Json difference(const Json& before, const Json& after, Keep keep) {
    Json patch = Json::object({});
    for (const auto& [name, value] : *after.object()) {
        const auto* old = before.find(name);
        if (old && *old == value) continue;
        if (old && old->object() && value.object()) {
            auto inner = difference(*old, value, keep);
            if (!inner.object()->empty()) patch[name] = std::move(inner);
        } else if (keep != Keep::removals && !(keep == Keep::values && value.is_null())) {
            patch[name] = value;
        }
    }
    if (keep == Keep::values) return patch;
    for (const auto& [name, value] : *before.object())
        if (!after.find(name)) patch[name] = Json{};
    return patch;
}

void add_removals(Json& patch, const Json& removals) {
    for (const auto& [name, value] : *removals.object()) {
        auto* there = patch.find(name);
        if (!there) {
            patch[name] = value;
        } else if (there->object() && value.object()) {
            add_removals(*there, value);
        }
    }
}

// What is not there cannot be removed.
Json only_present(const Json& removals, const Json& current) {
    Json kept = Json::object({});
    for (const auto& [name, value] : *removals.object()) {
        const auto* there = current.find(name);
        if (!there) continue;
        if (value.is_null()) {
            kept[name] = value;
        } else if (there->object()) {
            auto inner = only_present(value, *there);
            if (!inner.object()->empty()) kept[name] = std::move(inner);
        }
    }
    return kept;
}

void sort_members(Json& value) {
    if (auto* members = value.object()) {
        std::ranges::sort(*members, {}, &Json::Member::name);
        for (auto& member : *members) sort_members(member.value);
    }
    if (auto* elements = value.array())
        for (auto& element : *elements) sort_members(element);
}

}  // namespace

Json merge_difference(const Json& before, const Json& after) {
    return difference(before, after, Keep::all);
}

Json three_way_patch(const Json& last, const Json& current, const Json& wanted) {
    auto patch = difference(current, wanted, Keep::values);
    const auto removals = difference(last, wanted, Keep::removals);
    add_removals(patch, only_present(removals, current));
    return patch;
}

std::string last_applied_text(Json object) {
    auto& annotations = object["metadata"]["annotations"];
    if (!annotations.object()) annotations = Json::object({});
    annotations.erase(last_applied_name);
    sort_members(object);
    return object.text() + '\n';
}

}  // namespace sheaf::cli

#include "control/object_key.h"

#include <algorithm>

namespace sheaf::control {

namespace {

constexpr std::string_view beginning = "objects/";

// Up to the next '/', which goes too.
std::string_view take_part(std::string_view& rest) {
    const auto slash = rest.find('/');
    const auto part = rest.substr(0, slash);
    rest.remove_prefix(slash == rest.npos ? rest.size() : slash + 1);
    return part;
}

}  // namespace

ObjectKey key_of(const Json& object) {
    return {std::string{object.text_at({"metadata", "namespace"})},
            std::string{object.text_at({"metadata", "name"})}};
}

std::optional<KindAndKey> parse_record_key(std::string_view key) {
    if (!key.starts_with(beginning)) return {};
    key.remove_prefix(beginning.size());
    auto group = take_part(key);
    if (group == "core") group = {};
    const auto plural = take_part(key);
    const auto name_space = take_part(key);
    const auto kinds = api::all_kinds();
    const auto found = std::ranges::find_if(kinds, [&](const api::Kind* kind) {
        return kind->group == group && kind->plural == plural;
    });
    if (found == kinds.end() || key.empty()) return {};
    return KindAndKey{*found, {std::string{name_space == "-" ? "" : name_space}, std::string{key}}};
}

}  // namespace sheaf::control

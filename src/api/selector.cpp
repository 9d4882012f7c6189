#include "api/selector.h"

#include <algorithm>

#include "api/names.h"
#include "base/json_path.h"

namespace sheaf::api {

namespace {

constexpr std::size_t most_requirements = 64;

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

Failure refused(std::string_view what, std::string_view text) {
    return fail(sheaf::Kind::invalid, "{} {}: cannot be understood", what, json::in_quotes(text));
}

// At commas that stand outside parentheses.
std::vector<std::string_view> pieces_of(std::string_view text) {
    std::vector<std::string_view> pieces;
    int depth = 0;
    std::size_t start = 0;
    for (std::size_t place = 0; place <= text.size(); ++place) {
        const auto letter = place < text.size() ? text[place] : ',';
        if (letter == '(') ++depth;
        if (letter == ')') --depth;
        if (letter != ',' || (depth > 0 && place < text.size())) continue;
        pieces.push_back(trimmed(text.substr(start, place - start)));
        start = place + 1;
    }
    return pieces;
}

}  // namespace

std::string text_at_path(const Json& object, std::string_view path) {
    const auto* here = &object;
    while (here && !path.empty()) {
        const auto point = std::min(path.find('.'), path.size());
        here = here->find(path.substr(0, point));
        path.remove_prefix(std::min(point + 1, path.size()));
    }
    if (!here || here->is_null()) return {};
    return here->string() ? *here->string() : here->text();
}

Result<Selector> Selector::parse(const Kind& kind, std::string_view labels,
                                 std::string_view fields) {
    Selector selector;
    if (!trimmed(labels).empty())
        for (const auto piece : pieces_of(labels))
            selector.requirements_.push_back(TRY(parse_label(piece)));
    if (!trimmed(fields).empty())
        for (const auto piece : pieces_of(fields))
            selector.requirements_.push_back(TRY(parse_field(kind, piece)));
    if (selector.requirements_.size() > most_requirements)
        return fail(sheaf::Kind::invalid, "a selector of more than {} requirements",
                    most_requirements);
    return selector;
}

// "a", "!a", "a=b", "a==b", "a!=b", "a in (b, c)", "a notin (b, c)".
Result<Selector::Requirement> Selector::parse_label(std::string_view text) {
    Requirement requirement;
    auto name = text;
    if (text.starts_with('!')) {
        requirement.test = Test::missing;
        name = trimmed(text.substr(1));
    } else if (const auto open = text.find('('); open != text.npos && text.ends_with(')')) {
        auto head = trimmed(text.substr(0, open));
        const auto negated = head.ends_with(" notin");
        if (!negated && !head.ends_with(" in")) return refused("labelSelector", text);
        requirement.test = negated ? Test::not_in : Test::in;
        head.remove_suffix(negated ? 6 : 3);
        name = trimmed(head);
        const auto list = text.substr(open + 1, text.size() - open - 2);
        for (const auto value : pieces_of(list)) requirement.values.emplace_back(value);
    } else if (const auto equals = text.find('='); equals != text.npos) {
        const auto negated = equals > 0 && text[equals - 1] == '!';
        requirement.test = negated ? Test::not_in : Test::in;
        name = trimmed(text.substr(0, negated ? equals - 1 : equals));
        auto value = text.substr(equals + 1);
        if (!negated && value.starts_with('=')) value.remove_prefix(1);
        requirement.values.emplace_back(trimmed(value));
    } else {
        requirement.test = Test::exists;
    }
    if (!is_qualified_name(name) || !std::ranges::all_of(requirement.values, is_label_value))
        return refused("labelSelector", text);
    requirement.name = name;
    return requirement;
}

Result<Selector::Requirement> Selector::parse_field(const Kind& kind, std::string_view text) {
    const auto equals = text.find('=');
    if (equals == text.npos) return refused("fieldSelector", text);
    const auto negated = equals > 0 && text[equals - 1] == '!';
    auto value = text.substr(equals + 1);
    if (!negated && value.starts_with('=')) value.remove_prefix(1);
    const auto name = trimmed(text.substr(0, negated ? equals - 1 : equals));
    if (name != "metadata.name" && name != "metadata.namespace" &&
        std::ranges::find(kind.selectable, name) == kind.selectable.end())
        return fail(sheaf::Kind::invalid, "field label not supported: {}", json::in_quotes(name));
    Requirement requirement{.of_label = false,
                            .name = std::string{name},
                            .test = negated ? Test::not_in : Test::in,
                            .values = {}};
    requirement.values.emplace_back(trimmed(value));
    return requirement;
}

bool Selector::selects(const Json& object) const {
    return std::ranges::all_of(requirements_,
                               [&](const auto& requirement) { return holds(requirement, object); });
}

// As Kubernetes has it, an object without the label is not in any list of values.
bool Selector::holds(const Requirement& requirement, const Json& object) {
    const auto* labels = object.at({"metadata", "labels"});
    const auto* label = labels ? labels->find(requirement.name) : nullptr;
    const auto there = !requirement.of_label || (label && label->string());
    const auto value = !requirement.of_label ? text_at_path(object, requirement.name)
                       : there               ? *label->string()
                                             : std::string{};
    const auto listed =
        there && std::ranges::find(requirement.values, value) != requirement.values.end();
    switch (requirement.test) {
        case Test::in: return listed;
        case Test::not_in: return !listed;
        case Test::exists: return there;
        case Test::missing: break;
    }
    return !there;
}

}  // namespace sheaf::api

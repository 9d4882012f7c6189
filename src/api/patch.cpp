#include "api/patch.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "base/json_path.h"
#include "base/json_value.h"

namespace sheaf::api {

namespace {

using sheaf::Kind;

constexpr std::size_t most_operations = 1000;
constexpr std::size_t most_copied = 1 << 20;  // bytes, as text

// RFC 6901.
Result<std::vector<std::string>> parse_pointer(std::string_view text) {
    std::vector<std::string> words;
    if (text.empty()) return words;
    if (text.front() != '/')
        return fail(Kind::invalid, "path {}: does not begin with a slash", json::in_quotes(text));
    while (!text.empty()) {
        text.remove_prefix(1);
        const auto end = std::min(text.find('/'), text.size());
        std::string word;
        for (std::size_t place = 0; place < end; ++place) {
            if (text[place] != '~') {
                word += text[place];
                continue;
            }
            ++place;
            if (place >= end || (text[place] != '0' && text[place] != '1'))
                return fail(Kind::invalid, "path: a tilde is followed by 0 or 1");
            word += text[place] == '0' ? '~' : '/';
        }
        words.push_back(std::move(word));
        text.remove_prefix(end);
    }
    return words;
}

Failure nothing_at(std::string_view word) {
    return fail(Kind::invalid, "there is nothing at {}", json::in_quotes(word));
}

// An index of at most `most`.
Result<std::size_t> parse_index(const std::string& word, std::size_t most) {
    std::size_t index = 0;
    const auto* end = word.data() + word.size();
    const auto parsed = std::from_chars(word.data(), end, index);
    if (parsed.ec != std::errc{} || parsed.ptr != end || (word.size() > 1 && word[0] == '0') ||
        index > most)
        return nothing_at(word);
    return index;
}

Result<Json*> step(Json& here, const std::string& word) {
    if (auto* elements = here.array()) {
        if (elements->empty()) return nothing_at(word);
        return &(*elements)[TRY(parse_index(word, elements->size() - 1))];
    }
    if (auto* found = here.find(word)) return found;
    return nothing_at(word);
}

using Words = std::span<const std::string>;

Result<Json*> walk(Json& target, Words words) {
    auto* here = &target;
    for (const auto& word : words) here = TRY(step(*here, word));
    return here;
}

// A document that was copied into itself often would be too deep to be walked.
Result<void> add(Json& target, Words words, Json value) {
    if (words.size() + value.depth() > json_depth_limit)
        return fail(Kind::exhausted, "nested deeper than {} levels", json_depth_limit);
    if (words.empty()) {
        target = std::move(value);
        return {};
    }
    auto& parent = *TRY(walk(target, words.first(words.size() - 1)));
    const auto& word = words.back();
    if (auto* elements = parent.array()) {
        const auto index =
            word == "-" ? elements->size() : TRY(parse_index(word, elements->size()));
        elements->insert(elements->begin() + static_cast<std::ptrdiff_t>(index), std::move(value));
        return {};
    }
    if (!parent.object()) return nothing_at(word);
    parent[word] = std::move(value);
    return {};
}

Result<Json> remove(Json& target, Words words) {
    if (words.empty()) return fail(Kind::invalid, "the whole object cannot be removed");
    auto& parent = *TRY(walk(target, words.first(words.size() - 1)));
    auto removed = std::move(*TRY(step(parent, words.back())));
    if (auto* elements = parent.array()) {
        const auto index = TRY(parse_index(words.back(), elements->size() - 1));
        elements->erase(elements->begin() + static_cast<std::ptrdiff_t>(index));
    } else {
        parent.erase(words.back());
    }
    return removed;
}

Result<Words> without_cycle(Words from, Words to) {
    if (to.size() > from.size() && std::ranges::equal(from, to.first(from.size())))
        return fail(Kind::invalid, "a value cannot be moved into itself");
    return from;
}

Result<const Json*> member(const Json& operation, std::string_view name) {
    if (const auto* found = operation.find(name)) return found;
    return fail(Kind::invalid, "{} is missing", name);
}

// `copied` counts what the operations have made more of.
Result<void> apply(Json& target, const Json& operation, std::size_t& copied) {
    const auto verb = operation.text_at({"op"});
    const auto path = TRY(parse_pointer(operation.text_at({"path"})));
    TRY(member(operation, "path"));
    const auto from = TRY(parse_pointer(operation.text_at({"from"})));
    if (verb == "add") return add(target, path, *TRY(member(operation, "value")));
    if (verb == "remove") {
        TRY(remove(target, path));
        return {};
    }
    if (verb == "replace") {
        const auto* value = TRY(member(operation, "value"));
        TRY(walk(target, path));
        if (path.size() + value->depth() > json_depth_limit)
            return fail(Kind::exhausted, "nested deeper than {} levels", json_depth_limit);
        *TRY(walk(target, path)) = *value;
        return {};
    }
    if (verb == "test") {
        if (*TRY(walk(target, path)) == *TRY(member(operation, "value"))) return {};
        return fail(Kind::conflict, "testing {} failed",
                    json::in_quotes(operation.text_at({"path"})));
    }
    if (verb == "move") {
        TRY(member(operation, "from"));
        return add(target, path, TRY(remove(target, TRY(without_cycle(from, path)))));
    }
    if (verb == "copy") {
        TRY(member(operation, "from"));
        auto value = *TRY(walk(target, from));
        copied += value.text().size();
        if (copied > most_copied)
            return fail(Kind::exhausted, "it copies more than {} bytes", most_copied);
        return add(target, path, std::move(value));
    }
    return fail(Kind::invalid, "op {}: is none", json::in_quotes(verb));
}

}  // namespace

void apply_merge_patch(Json& target, const Json& patch) {
    if (!patch.object()) {
        target = patch;
        return;
    }
    if (!target.object()) target = Json::object({});
    for (const auto& [name, value] : *patch.object()) {
        if (value.is_null()) {
            target.erase(name);
        } else {
            apply_merge_patch(target[name], value);
        }
    }
}

Result<void> apply_json_patch(Json& target, const Json& patch) {
    const auto* operations = patch.array();
    if (!operations) return fail(Kind::invalid, "a JSON patch is an array of operations");
    if (operations->size() > most_operations)
        return fail(Kind::exhausted, "more than {} operations", most_operations);
    auto changed = target;
    std::size_t copied = 0;
    for (std::size_t index = 0; index < operations->size(); ++index)
        TRY_WITHIN(apply(changed, (*operations)[index], copied), "operation {}", index);
    target = std::move(changed);
    return {};
}

Result<void> check_strategic_patch(const Json& patch) {
    if (!patch.object()) return fail(Kind::invalid, "a patch is an object");
    for (const auto& [name, value] : *patch.object()) {
        if (name.starts_with('$'))
            return fail(Kind::unsupported, "the directive {} is not supported",
                        json::in_quotes(name));
        if ((name == "finalizers" || name == "ownerReferences") && !value.is_null())
            return fail(Kind::unsupported, "{} cannot be changed by a strategic merge patch", name);
        if (value.object()) TRY(check_strategic_patch(value));
    }
    return {};
}

}  // namespace sheaf::api

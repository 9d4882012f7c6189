#include "base/json_tree.h"

#include <algorithm>
#include <array>

#include "base/json_encode.h"
#include "base/json_value.h"

namespace sheaf {

namespace {

Json tree_of(const JsonValue& value) {
    return std::visit(
        [](const auto& content) -> Json {
            using T = std::remove_cvref_t<decltype(content)>;
            if constexpr (std::is_same_v<T, JsonValue::Array>) {
                Json::Array elements;
                elements.reserve(content.size());
                for (const auto& element : content) elements.push_back(tree_of(element));
                return elements;
            } else if constexpr (std::is_same_v<T, JsonValue::Object>) {
                Json::Object members;
                members.reserve(content.size());
                for (const auto& [name, member] : content)
                    members.push_back({name, tree_of(member)});
                return members;
            } else if constexpr (std::is_same_v<T, std::nullptr_t>) {
                return Json{};
            } else {
                return Json{content};
            }
        },
        value.content());
}

// JSON's numbers with a point stay such, or what is read back would be of another type.
void write_number(double number, std::string& out) {
    const auto before = out.size();
    json::encode_value(number, out);
    if (out.find_first_not_of("-0123456789", before) == std::string::npos) out += ".0";
}

}  // namespace

Json::Json(Array elements) : content_(std::move(elements)) {}
Json::Json(Object members) : content_(std::move(members)) {}

Json Json::object(std::initializer_list<Member> members) {
    return Json{Object(members)};
}

Result<Json> Json::parse(std::string_view text) {
    return tree_of(TRY(parse_json(text)));
}

void Json::write(std::string& out) const {
    if (const auto* members = object()) {
        out += '{';
        for (const auto& [name, value] : *members) {
            if (&name != &members->front().name) out += ',';
            json::encode_value(std::string_view{name}, out);
            out += ':';
            value.write(out);
        }
        out += '}';
    } else if (const auto* elements = array()) {
        out += '[';
        for (const auto& element : *elements) {
            if (&element != &elements->front()) out += ',';
            element.write(out);
        }
        out += ']';
    } else if (const auto* word = string()) {
        json::encode_value(std::string_view{*word}, out);
    } else if (const auto* truth = boolean()) {
        out += *truth ? "true" : "false";
    } else if (const auto* whole = std::get_if<std::int64_t>(&content_)) {
        json::encode_integer(*whole, out);
    } else if (const auto* large = std::get_if<std::uint64_t>(&content_)) {
        json::encode_integer(*large, out);
    } else if (const auto* real = std::get_if<double>(&content_)) {
        write_number(*real, out);
    } else {
        out += "null";
    }
}

std::string Json::text() const {
    std::string out;
    write(out);
    return out;
}

std::optional<std::int64_t> Json::integer() const {
    if (const auto* whole = std::get_if<std::int64_t>(&content_)) return *whole;
    const auto* large = std::get_if<std::uint64_t>(&content_);
    if (large && std::in_range<std::int64_t>(*large)) return static_cast<std::int64_t>(*large);
    return {};
}

std::string_view Json::type_name() const {
    constexpr auto names =
        std::to_array<std::string_view>({"null", "a boolean", "a number", "a number", "a number",
                                         "a string", "an array", "an object"});
    return names.at(content_.index());
}

const Json* Json::find(std::string_view name) const {
    const auto* members = object();
    if (!members) return nullptr;
    const auto found = std::ranges::find(*members, name, &Member::name);
    return found == members->end() ? nullptr : &found->value;
}

Json* Json::find(std::string_view name) {
    auto* members = object();
    if (!members) return nullptr;
    const auto found = std::ranges::find(*members, name, &Member::name);
    return found == members->end() ? nullptr : &found->value;
}

const Json* Json::at(Names path) const {
    const auto* here = this;
    for (const auto name : path)
        if (here) here = here->find(name);
    return here;
}

std::string_view Json::text_at(Names path) const {
    const auto* found = at(path);
    const auto* word = found ? found->string() : nullptr;
    return word ? std::string_view{*word} : std::string_view{};
}

Json& Json::operator[](std::string_view name) {
    if (auto* found = find(name)) return *found;
    if (!object()) content_ = Object{};
    return object()->emplace_back(std::string{name}, Json{}).value;
}

bool Json::erase(std::string_view name) {
    auto* members = object();
    return members &&
           std::erase_if(*members, [&](const auto& member) { return member.name == name; }) > 0;
}

std::size_t Json::depth() const {
    std::size_t below = 0;
    if (const auto* members = object()) {
        for (const auto& member : *members) below = std::max(below, member.value.depth());
        return below + 1;
    }
    if (const auto* elements = array()) {
        for (const auto& element : *elements) below = std::max(below, element.depth());
        return below + 1;
    }
    return 0;
}

namespace {

// Of one type, and equal.
template <class T>
bool same(const T* one, const T* other) {
    return one && other && *one == *other;
}

bool same_members(const Json& one, const Json& other) {
    if (one.object()->size() != other.object()->size()) return false;
    return std::ranges::all_of(*one.object(), [&](const auto& member) {
        const auto* value = other.find(member.name);
        return value && member.value == *value;
    });
}

}  // namespace

bool operator==(const Json& one, const Json& other) {
    if (one.object() && other.object()) return same_members(one, other);
    if (one.array() && other.array()) return std::ranges::equal(*one.array(), *other.array());
    if (const auto number = one.integer()) return number == other.integer();
    return (one.is_null() && other.is_null()) || same(one.string(), other.string()) ||
           same(one.boolean(), other.boolean()) ||
           same(std::get_if<double>(&one.content_), std::get_if<double>(&other.content_)) ||
           same(std::get_if<std::uint64_t>(&one.content_),
                std::get_if<std::uint64_t>(&other.content_));
}

}  // namespace sheaf

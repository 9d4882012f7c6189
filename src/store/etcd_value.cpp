#include "store/etcd_value.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "base/json_path.h"

namespace sheaf::kv::etcd {

namespace {

const JsonValue::Object nothing;

Failure strange(std::string_view name) {
    return fail(Kind::corrupt, "an answer that is not etcd's: \"{}\" is not what it should be",
                name);
}

}  // namespace

Result<JsonValue> parse_answer(std::string_view text) {
    auto parsed = parse_json(text);
    if (!parsed) return fail(Kind::corrupt, "an answer that is no JSON: {}", parsed.error().text());
    return parsed;
}

Result<Object> Object::of(const JsonValue& value) {
    const auto* members = std::get_if<JsonValue::Object>(&value.content());
    if (!members)
        return fail(Kind::corrupt, "an answer that is not etcd's: {} instead of an object",
                    value.type_name());
    return Object{*members};
}

const JsonValue* Object::find(std::string_view name) const {
    const auto found = std::ranges::find(*members_, name, &JsonValue::Member::first);
    return found == members_->end() || found->second.is_null() ? nullptr : &found->second;
}

Result<std::uint64_t> Object::number(std::string_view name) const {
    const auto* value = find(name);
    if (!value) return 0;
    if (const auto* whole = std::get_if<std::int64_t>(&value->content()); whole && *whole >= 0)
        return static_cast<std::uint64_t>(*whole);
    if (const auto* whole = std::get_if<std::uint64_t>(&value->content())) return *whole;
    const auto* text = std::get_if<std::string>(&value->content());
    if (!text) return strange(name);
    std::uint64_t number = 0;
    const auto* last = text->data() + text->size();
    const auto parsed = std::from_chars(text->data(), last, number);
    if (parsed.ec != std::errc{} || parsed.ptr != last) return strange(name);
    return number;
}

Result<std::string> Object::text(std::string_view name) const {
    const auto* value = find(name);
    if (!value) return std::string{};
    const auto* text = std::get_if<std::string>(&value->content());
    if (!text) return strange(name);
    return *text;
}

Result<std::string> Object::bytes(std::string_view name) const {
    auto bytes = from_base64(TRY(text(name)));
    if (!bytes) return strange(name);
    return bytes;
}

Result<bool> Object::flag(std::string_view name) const {
    const auto* value = find(name);
    if (!value) return false;
    const auto* flag = std::get_if<bool>(&value->content());
    if (!flag) return strange(name);
    return *flag;
}

Result<Object> Object::object(std::string_view name) const {
    const auto* value = find(name);
    if (!value) return Object{nothing};
    auto found = of(*value);
    if (!found) return strange(name);
    return found;
}

Result<std::vector<Object>> Object::objects(std::string_view name) const {
    std::vector<Object> found;
    const auto* value = find(name);
    if (!value) return found;
    const auto* elements = std::get_if<JsonValue::Array>(&value->content());
    if (!elements) return strange(name);
    for (const auto& element : *elements) found.push_back(TRY(of(element)));
    return found;
}

}  // namespace sheaf::kv::etcd

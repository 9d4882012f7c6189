#include "base/json_value.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/json_path.h"

namespace sheaf {

namespace {

namespace dom = simdjson::dom;

using json::Path;

Result<JsonValue> convert(const dom::element& element, const Path& path, unsigned depth);

Result<JsonValue> convert_array(const dom::array& elements, const Path& path, unsigned depth) {
    auto array = JsonValue::Array{};
    for (const auto& element : elements)
        array.push_back(TRY(convert(element, path.element(array.size()), depth)));
    return JsonValue{std::move(array)};
}

Result<void> refuse_duplicates(const JsonValue::Object& object, const Path& path) {
    auto names = std::vector<std::string_view>{};
    for (const auto& [name, value] : object) names.push_back(name);
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    if (twice == names.end()) return {};
    return fail(Kind::invalid, "{}: given twice", path.member(*twice).text());
}

Result<JsonValue> convert_object(const dom::object& members, const Path& path, unsigned depth) {
    auto object = JsonValue::Object{};
    for (const auto& [name, value] : members)
        object.emplace_back(std::string{name}, TRY(convert(value, path.member(name), depth)));
    TRY(refuse_duplicates(object, path));
    return JsonValue{std::move(object)};
}

Result<JsonValue> convert(const dom::element& element, const Path& path, unsigned depth) {
    if (depth == 0)
        return fail(Kind::invalid, "{}: nested deeper than {} levels", path.text(),
                    json_depth_limit);
    switch (element.type()) {
        case dom::element_type::NULL_VALUE: return JsonValue{};
        case dom::element_type::BOOL: return JsonValue{bool{element}};
        case dom::element_type::INT64: return JsonValue{std::int64_t{element}};
        case dom::element_type::UINT64: return JsonValue{std::uint64_t{element}};
        case dom::element_type::DOUBLE: return JsonValue{double{element}};
        case dom::element_type::STRING: return JsonValue{std::string{std::string_view{element}}};
        case dom::element_type::ARRAY: return convert_array(dom::array{element}, path, depth - 1);
        case dom::element_type::OBJECT:
            return convert_object(dom::object{element}, path, depth - 1);
    }
    return fail(Kind::invalid, "a value of no known type");
}

}  // namespace

std::string_view JsonValue::type_name() const {
    constexpr auto names =
        std::to_array<std::string_view>({"null", "a boolean", "a number", "a number", "a number",
                                         "a string", "an array", "an object"});
    return names.at(content_.index());
}

Result<JsonValue> parse_json(std::string_view text) {
    auto parser = dom::parser{};
    auto document = dom::element{};
    const auto error = parser.parse(text.data(), text.size()).get(document);
    if (error) return fail(Kind::invalid, "not JSON: {}", simdjson::error_message(error));
    return convert(document, Path{}, json_depth_limit);
}

}  // namespace sheaf

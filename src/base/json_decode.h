#pragma once

// Why: the half of json.h that turns a parsed tree into described values. Include json.h.

#include <concepts>
#include <limits>

#include <boost/mp11/algorithm.hpp>

#include "base/json_path.h"
#include "base/json_types.h"
#include "base/json_value.h"

namespace sheaf::json {

inline Failure at(const Path& path, std::string_view what) {
    return fail(Kind::invalid, "{}: {}", path.text(), what);
}

inline Failure expected(const Path& path, std::string_view wanted, const JsonValue& value) {
    return at(path, fmt::format("expected {}, not {}", wanted, value.type_name()));
}

inline Result<void> decode_value(const JsonValue& value, const Path& path, bool& into) {
    const auto* content = std::get_if<bool>(&value.content());
    if (!content) return expected(path, "a boolean", value);
    into = *content;
    return {};
}

inline Result<void> decode_value(const JsonValue& value, const Path& path, std::string& into) {
    const auto* content = std::get_if<std::string>(&value.content());
    if (!content) return expected(path, "a string", value);
    into = *content;
    return {};
}

inline Result<void> decode_value(const JsonValue& value, const Path& path, double& into) {
    if (const auto* real = std::get_if<double>(&value.content())) {
        into = *real;
    } else if (const auto* whole = std::get_if<std::int64_t>(&value.content())) {
        into = static_cast<double>(*whole);
    } else if (const auto* large = std::get_if<std::uint64_t>(&value.content())) {
        into = static_cast<double>(*large);
    } else {
        return expected(path, "a number", value);
    }
    return {};
}

template <std::integral T>
Result<void> decode_value(const JsonValue& value, const Path& path, T& into) {
    const auto take = [&](auto number) -> Result<void> {
        if (!std::in_range<T>(number))
            return at(path,
                      fmt::format("{} is not between {} and {}", number,
                                  std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
        into = static_cast<T>(number);
        return {};
    };
    if (const auto* whole = std::get_if<std::int64_t>(&value.content())) return take(*whole);
    if (const auto* large = std::get_if<std::uint64_t>(&value.content())) return take(*large);
    return expected(path, "a whole number", value);
}

template <DescribedEnum T>
Result<void> decode_value(const JsonValue& value, const Path& path, T& into) {
    auto name = std::string{};
    TRY(decode_value(value, path, name));
    bool found = false;
    boost::mp11::mp_for_each<Enumerators<T>>([&](auto enumerator) {
        if (name != enumerator.name) return;
        into = enumerator.value;
        found = true;
    });
    if (!found) return at(path, fmt::format("unknown value {}", in_quotes(name)));
    return {};
}

// The kinds below hold each other; Path's namespace is how they find what is declared later.
template <Optional T>
Result<void> decode_value(const JsonValue& value, const Path& path, T& into) {
    into.reset();
    if (value.is_null()) return {};
    return decode_value(value, path, into.emplace());
}

template <List T>
Result<void> decode_value(const JsonValue& value, const Path& path, T& into) {
    const auto* elements = std::get_if<JsonValue::Array>(&value.content());
    if (!elements) return expected(path, "an array", value);
    into.clear();
    for (const auto& element : *elements) {
        const auto inner = path.element(into.size());
        TRY(decode_value(element, inner, into.emplace_back()));
    }
    return {};
}

template <Dictionary T>
Result<void> decode_value(const JsonValue& value, const Path& path, T& into) {
    const auto* members = std::get_if<JsonValue::Object>(&value.content());
    if (!members) return expected(path, "an object", value);
    into.clear();
    for (const auto& [name, element] : *members)
        TRY(decode_value(element, path.member(name), into[name]));
    return {};
}

// Decodes one member of an object into the field of that name.
template <DescribedStruct T>
Result<void> decode_member(const JsonValue::Member& member, const Path& path, T& into) {
    const auto& [name, value] = member;
    const auto inner = path.member(name);
    auto outcome = std::optional<Result<void>>{};
    boost::mp11::mp_for_each<Members<T>>([&](auto field) {
        if (name == field.name) outcome = decode_value(value, inner, into.*field.pointer);
    });
    if (!outcome) return at(inner, "unknown field");
    return *std::move(outcome);
}

template <DescribedStruct T>
Result<void> decode_value(const JsonValue& value, const Path& path, T& into) {
    const auto* members = std::get_if<JsonValue::Object>(&value.content());
    if (!members) return expected(path, "an object", value);
    for (const auto& member : *members) TRY(decode_member(member, path, into));
    return {};
}

}  // namespace sheaf::json

#pragma once

// Why: the half of json.h that turns described values into text. Include json.h.

#include <concepts>
#include <string_view>
#include <utility>

#include <boost/mp11/algorithm.hpp>

#include "base/json_types.h"

namespace sheaf::json {

// Appends `text` in quotes. Bytes that are not UTF-8 become U+FFFD.
void encode_value(std::string_view text, std::string& out);
void encode_value(double number, std::string& out);  // null where JSON has no word for it
void encode_integer(std::int64_t number, std::string& out);
void encode_integer(std::uint64_t number, std::string& out);

inline void encode_value(const std::string& text, std::string& out) {
    encode_value(std::string_view{text}, out);
}

// A template so that a pointer does not turn into a boolean.
template <std::same_as<bool> T>
void encode_value(T value, std::string& out) {
    out += value ? "true" : "false";
}

template <std::integral T>
    requires(!std::same_as<T, bool>)
void encode_value(T number, std::string& out) {
    if constexpr (std::signed_integral<T>) {
        encode_integer(static_cast<std::int64_t>(number), out);
    } else {
        encode_integer(static_cast<std::uint64_t>(number), out);
    }
}

template <DescribedEnum T>
void encode_value(T value, std::string& out) {
    encode_value(std::string_view{boost::describe::enum_to_string(value, "")}, out);
}

// Declared ahead, for they hold each other.
template <Optional T>
void encode_value(const T& value, std::string& out);
template <List T>
void encode_value(const T& values, std::string& out);
template <Dictionary T>
void encode_value(const T& values, std::string& out);
template <DescribedStruct T>
void encode_value(const T& value, std::string& out);

template <Optional T>
void encode_value(const T& value, std::string& out) {
    if (value) {
        encode_value(*value, out);
    } else {
        out += "null";
    }
}

template <List T>
void encode_value(const T& values, std::string& out) {
    out += '[';
    auto separator = std::string_view{};
    for (const auto& value : values) {
        out += std::exchange(separator, ",");
        encode_value(value, out);
    }
    out += ']';
}

template <Dictionary T>
void encode_value(const T& values, std::string& out) {
    out += '{';
    auto separator = std::string_view{};
    for (const auto& [name, value] : values) {
        out += std::exchange(separator, ",");
        encode_value(std::string_view{name}, out);
        out += ':';
        encode_value(value, out);
    }
    out += '}';
}

template <class T>
bool is_left_out(const T& value) {
    if constexpr (Optional<T>) return !value.has_value();
    return false;
}

template <DescribedStruct T>
void encode_value(const T& value, std::string& out) {
    out += '{';
    auto separator = std::string_view{};
    boost::mp11::mp_for_each<Members<T>>([&](auto field) {
        const auto& member = value.*field.pointer;
        if (is_left_out(member)) return;
        out += std::exchange(separator, ",");
        encode_value(std::string_view{field.name}, out);
        out += ':';
        encode_value(member, out);
    });
    out += '}';
}

}  // namespace sheaf::json

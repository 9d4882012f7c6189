#include "api/names.h"

#include <algorithm>
#include <array>

namespace sheaf::api {

namespace {

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}
bool is_small(char letter) {
    return (letter >= 'a' && letter <= 'z') || is_digit(letter);
}
bool is_alphanumeric(char letter) {
    return is_small(letter) || (letter >= 'A' && letter <= 'Z');
}

// Of label values and of the name in a qualified name; not empty.
bool is_word(std::string_view text) {
    return !text.empty() && text.size() <= 63 && is_alphanumeric(text.front()) &&
           is_alphanumeric(text.back()) && std::ranges::all_of(text, [](char letter) {
               return is_alphanumeric(letter) || letter == '-' || letter == '_' || letter == '.';
           });
}

std::string_view take_digits(std::string_view& text) {
    const auto* end = std::ranges::find_if_not(text, is_digit);
    const auto digits = std::string_view{text.begin(), end};
    text.remove_prefix(digits.size());
    return digits;
}

bool take(std::string_view& text, char letter) {
    if (!text.starts_with(letter)) return false;
    text.remove_prefix(1);
    return true;
}

bool take_digits(std::string_view& text, std::size_t count) {
    if (text.size() < count || !std::ranges::all_of(text.substr(0, count), is_digit)) return false;
    text.remove_prefix(count);
    return true;
}

}  // namespace

bool is_label(std::string_view text) {
    return !text.empty() && text.size() <= 63 && is_small(text.front()) && is_small(text.back()) &&
           std::ranges::all_of(text, [](char letter) { return is_small(letter) || letter == '-'; });
}

bool is_subdomain(std::string_view text) {
    if (text.size() > 253) return false;
    while (true) {
        const auto point = std::min(text.find('.'), text.size());
        if (const auto label = text.substr(0, point);
            label.empty() || !is_small(label.front()) || !is_small(label.back()) ||
            !std::ranges::all_of(label,
                                 [](char letter) { return is_small(letter) || letter == '-'; }))
            return false;
        if (point == text.size()) return true;
        text.remove_prefix(point + 1);
    }
}

bool is_qualified_name(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == text.npos) return is_word(text);
    return is_subdomain(text.substr(0, slash)) && is_word(text.substr(slash + 1));
}

bool is_label_value(std::string_view text) {
    return text.empty() || is_word(text);
}

bool is_quantity(std::string_view text) {
    constexpr auto suffixes = std::to_array<std::string_view>(
        {"", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"});
    if (text.size() > 40) return false;
    take(text, '+');
    auto digits = take_digits(text).size();
    if (take(text, '.')) digits += take_digits(text).size();
    if (digits == 0) return false;
    if (std::ranges::find(suffixes, text) != suffixes.end()) return true;
    if (!take(text, 'e') && !take(text, 'E')) return false;
    if (!take(text, '-')) take(text, '+');
    const auto exponent = take_digits(text);
    return text.empty() && !exponent.empty() && exponent.size() <= 2;
}

bool is_time(std::string_view text) {
    if (text.size() > 40 || !take_digits(text, 4) || !take(text, '-') || !take_digits(text, 2) ||
        !take(text, '-') || !take_digits(text, 2) || !take(text, 'T') || !take_digits(text, 2) ||
        !take(text, ':') || !take_digits(text, 2) || !take(text, ':') || !take_digits(text, 2))
        return false;
    if (take(text, '.') && take_digits(text).empty()) return false;
    if (text == "Z") return true;
    if (!take(text, '+') && !take(text, '-')) return false;
    return take_digits(text, 2) && take(text, ':') && take_digits(text, 2) && text.empty();
}

}  // namespace sheaf::api

#include "cli/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include <fmt/format.h>

namespace sheaf::cli {

namespace {

constexpr auto nulls = std::to_array<std::string_view>({"", "~", "null", "Null", "NULL"});
constexpr auto truths = std::to_array<std::string_view>(
    {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"});
constexpr auto untruths = std::to_array<std::string_view>(
    {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"});
constexpr auto no_numbers =
    std::to_array<std::string_view>({".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf",
                                     "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"});

constexpr std::string_view digits = "0123456789";

bool is_one_of(std::span<const std::string_view> words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

// 0x, 0o, 0b, or a leading zero, as Go's ParseInt with base 0.
int take_base(std::string_view& word) {
    if (word.size() < 2 || word[0] != '0') return 10;
    const auto letter = static_cast<char>(word[1] | 0x20);
    const int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    word.remove_prefix(base == 0 ? 1 : 2);
    return base == 0 ? 8 : base;
}

std::optional<Json> integer(std::string_view word) {
    const bool negative = word.starts_with('-');
    if (negative || word.starts_with('+')) word.remove_prefix(1);
    const int base = take_base(word);
    std::uint64_t number = 0;
    const auto* const last = word.data() + word.size();
    const auto [end, error] = std::from_chars(word.data(), last, number, base);
    if (error != std::errc{} || end != last) return {};
    constexpr std::uint64_t lowest = std::uint64_t{1} << 63;
    if (negative && number > lowest) return {};
    if (negative) return Json{static_cast<std::int64_t>(0 - number)};
    if (number < lowest) return Json{static_cast<std::int64_t>(number)};
    return Json{number};
}

// Whether it is [-+]? (.D+ | D+ (.D*)?) ([eE] [-+]? D+)?
bool looks_real(std::string_view word) {
    const auto take_digits = [&] {
        const auto count = std::min(word.find_first_not_of(digits), word.size());
        word.remove_prefix(count);
        return count;
    };
    const auto take_sign = [&] {
        if (word.starts_with('-') || word.starts_with('+')) word.remove_prefix(1);
    };
    take_sign();
    const auto whole = take_digits();
    if (word.starts_with('.')) {
        word.remove_prefix(1);
        if (take_digits() == 0 && whole == 0) return false;
    } else if (whole == 0) {
        return false;
    }
    if (word.starts_with('e') || word.starts_with('E')) {
        word.remove_prefix(1);
        take_sign();
        if (take_digits() == 0) return false;
    }
    return word.empty();
}

// JSON has one kind of number: what is whole is written without a point.
Result<std::optional<Json>> real(std::string_view word) {
    if (!looks_real(word)) return std::nullopt;
    if (word.starts_with('+')) word.remove_prefix(1);
    double number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc{}) return std::nullopt;
    constexpr double exact = 9007199254740992;  // 2^53
    if (std::trunc(number) == number && std::abs(number) <= exact)
        return Json{static_cast<std::int64_t>(number)};
    return Json{number};
}

}  // namespace

Result<Json> plain_scalar(std::string_view word) {
    if (is_one_of(nulls, word)) return Json{};
    if (is_one_of(truths, word)) return Json{true};
    if (is_one_of(untruths, word)) return Json{false};
    if (is_one_of(no_numbers, word))
        return fail(Kind::invalid, "{} is no number of JSON; in quotes it is a string", word);
    const auto first = word.front();
    if (!is_digit(first) && first != '+' && first != '-' && first != '.') return Json{word};
    std::string number{word};
    if (first != '.') std::erase(number, '_');
    if (first != '.')
        if (auto whole = integer(number)) return *std::move(whole);
    if (auto found = TRY(real(number))) return *std::move(found);
    return Json{word};
}

bool is_plain_string(std::string_view word) {
    constexpr std::string_view safe =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+()@ =:,;<>";
    if (word.empty() || word == "<<" || word == "=" || word.find_first_not_of(safe) != word.npos)
        return false;
    // What has a meaning at the beginning of a word, or between two.
    if (std::string_view{"-+.@ =:,;<>"}.contains(word.front())) return false;
    if (word.back() == ' ' || word.back() == ':' || word.contains(": ")) return false;
    // A colon between digits is a number of base 60 to some readers, two dashes may be a date.
    if (is_digit(word.front()) && word.find_first_not_of("0123456789:._-+eExXobTZ ") == word.npos)
        return false;
    const auto value = plain_scalar(word);
    return value && value->string();
}

}  // namespace sheaf::cli

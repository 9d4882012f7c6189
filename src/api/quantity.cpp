#include "api/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "api/names.h"
#include "base/json_path.h"

namespace sheaf::api {

namespace {

__extension__ using Wide = unsigned __int128;
constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();

struct Scale {
    std::string_view suffix;
    int tens = 0;
    int twos = 0;
};
constexpr auto scales = std::to_array<Scale>({{"", 0, 0},
                                              {"n", -9, 0},
                                              {"u", -6, 0},
                                              {"m", -3, 0},
                                              {"k", 3, 0},
                                              {"M", 6, 0},
                                              {"G", 9, 0},
                                              {"T", 12, 0},
                                              {"P", 15, 0},
                                              {"E", 18, 0},
                                              {"Ki", 0, 10},
                                              {"Mi", 0, 20},
                                              {"Gi", 0, 30},
                                              {"Ti", 0, 40},
                                              {"Pi", 0, 50},
                                              {"Ei", 0, 60}});

// Behind the number: a suffix, or an exponent of ten.
Scale scale_of(std::string_view text) {
    const auto found = std::ranges::find(scales, text, &Scale::suffix);
    if (found != scales.end()) return *found;
    Scale scale;
    text.remove_prefix(text.starts_with("e+") || text.starts_with("E+") ? 2 : 1);
    std::from_chars(text.data(), text.data() + text.size(), scale.tens);
    return scale;
}

}  // namespace

Result<std::uint64_t> parse_quantity(std::string_view text, std::uint64_t unit) {
    const auto whole = text;
    if (!is_quantity(text))
        return fail(sheaf::Kind::invalid, "{} is no quantity", json::in_quotes(whole));
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto end = std::min(text.find_first_not_of("0123456789."), text.size());
    auto scale = scale_of(text.substr(end));
    auto digits = std::string{text.substr(0, end)};
    if (const auto point = digits.find('.'); point != digits.npos) {
        digits.erase(digits.find_last_not_of('0') + 1);
        scale.tens -= static_cast<int>(digits.size() - point - 1);
        digits.erase(point, 1);
    }
    digits.erase(0, digits.find_first_not_of('0'));
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const auto too_large = fail(sheaf::Kind::invalid, "{} is too large", json::in_quotes(whole));
    if (!digits.empty() && parsed.ec != std::errc{}) return too_large;
    auto value = Wide{number} << scale.twos;
    constexpr auto room = ~Wide{} / 1000;
    if (value > room / unit) return too_large;
    value *= unit;
    for (; scale.tens > 0; --scale.tens) {
        if (value > room) return too_large;
        value *= 10;
    }
    for (; scale.tens < 0 && value > 0; ++scale.tens) {
        if (value == 1) break;  // stays one, however small
        value = (value + 9) / 10;
    }
    if (value > largest) return too_large;
    return static_cast<std::uint64_t>(value);
}

Result<std::optional<std::uint64_t>> quantity_at(const Json& object, Json::Names path,
                                                 std::uint64_t unit) {
    const auto* value = object.at(path);
    if (!value) return std::nullopt;
    if (value->string()) return TRY(parse_quantity(*value->string(), unit));
    return TRY(parse_quantity(value->text(), unit));
}

std::string quantity_text(std::uint64_t bytes) {
    for (auto scale = scales.rbegin(); scale != scales.rend(); ++scale)
        if (scale->twos > 0 && bytes != 0 && bytes % (1ULL << scale->twos) == 0)
            return fmt::format("{}{}", bytes >> scale->twos, scale->suffix);
    return fmt::format("{}", bytes);
}

}  // namespace sheaf::api

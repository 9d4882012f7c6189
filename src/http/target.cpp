#include "http/target.h"

#include <algorithm>

#include "base/json_path.h"
#include "base/utf8.h"

namespace sheaf::http {

namespace {

constexpr std::size_t most_parameters = 64;

Failure refused(std::string_view word, std::string_view reason) {
    return fail(Kind::invalid, "{}: {}", json::in_quotes(word), reason);
}

int digit_of(char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
    return -1;
}

enum class Part { path, query };

// RFC 3986, section 2.1; in a query a plus sign is a space.
Result<std::string> decode_percent(std::string_view word, Part part) {
    std::string decoded;
    for (std::size_t place = 0; place < word.size(); ++place) {
        auto letter = word[place];
        if (letter == '+' && part == Part::query) {
            letter = ' ';
        } else if (letter == '%') {
            const auto high = place + 2 < word.size() ? digit_of(word[place + 1]) : -1;
            const auto low = place + 2 < word.size() ? digit_of(word[place + 2]) : -1;
            if (high < 0 || low < 0) return refused(word, "an escape has two hexadecimal digits");
            letter = static_cast<char>(high * 16 + low);
            place += 2;
        }
        if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f)
            return refused(word, "has a control character");
        if (letter == '/' && part == Part::path) return refused(word, "hides a slash");
        decoded += letter;
    }
    for (auto rest = std::string_view{decoded}; !rest.empty();) {
        const auto length = utf8_length(rest);
        if (length == 0) return refused(word, "is not UTF-8");
        rest.remove_prefix(length);
    }
    return decoded;
}

Result<std::vector<std::string>> parse_path(std::string_view text) {
    std::vector<std::string> path;
    if (!text.starts_with('/')) return refused(text, "the target is no absolute path");
    text.remove_prefix(1);
    if (text.empty()) return path;
    if (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
    while (true) {
        const auto end = std::min(text.find('/'), text.size());
        auto segment = TRY(decode_percent(text.substr(0, end), Part::path));
        if (segment.empty() || segment == "." || segment == "..")
            return refused(segment, "no segment of a path");
        path.push_back(std::move(segment));
        if (end == text.size()) return path;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

std::optional<std::string_view> Target::parameter(std::string_view name) const {
    for (const auto& [known, value] : query)
        if (known == name) return value;
    return {};
}

Result<Target> parse_target(std::string_view text) {
    Target target;
    const auto mark = std::min(text.find('?'), text.size());
    target.path = TRY(parse_path(text.substr(0, mark)));
    auto rest = text.substr(std::min(mark + 1, text.size()));
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const auto pair = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (pair.empty()) continue;
        if (target.query.size() == most_parameters)
            return fail(Kind::invalid, "more than {} parameters", most_parameters);
        const auto equals = std::min(pair.find('='), pair.size());
        const auto value = pair.substr(std::min(equals + 1, pair.size()));
        target.query.emplace_back(TRY(decode_percent(pair.substr(0, equals), Part::query)),
                                  TRY(decode_percent(value, Part::query)));
    }
    return target;
}

}  // namespace sheaf::http

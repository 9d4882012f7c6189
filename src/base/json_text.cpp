#include <array>
#include <cmath>

#include "base/json.h"

namespace sheaf::json {

namespace {

// How many bytes of valid UTF-8 (RFC 3629) the text begins with, 0 where its first byte is none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
    const auto first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const bool overlong = first == 0xe0 && byte(1) < 0xa0;
        const bool surrogate = first == 0xed && byte(1) > 0x9f;
        return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const bool overlong = first == 0xf0 && byte(1) < 0x90;
        const bool too_large = first == 0xf4 && byte(1) > 0x8f;
        return continues(1) && continues(2) && continues(3) && !overlong && !too_large ? 4 : 0;
    }
    return 0;
}

void escape(char letter, std::string& out) {
    switch (letter) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        default: break;
    }
    if (static_cast<unsigned char>(letter) < 0x20) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", letter);
    } else {
        out += letter;
    }
}

}  // namespace

std::string pointer_piece(std::string_view name) {
    auto piece = std::string{};
    for (const char letter : name) {
        if (letter == '~') {
            piece += "~0";
        } else if (letter == '/') {
            piece += "~1";
        } else {
            piece += letter;
        }
    }
    return piece;
}

void encode_value(std::string_view text, std::string& out) {
    out += '"';
    while (!text.empty()) {
        const auto length = utf8_length(text);
        if (length == 0) {
            out += "\xef\xbf\xbd";
            text.remove_prefix(1);
            continue;
        }
        if (length == 1) {
            escape(text.front(), out);
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    out += '"';
}

void encode_value(double number, std::string& out) {
    if (std::isfinite(number)) {
        fmt::format_to(std::back_inserter(out), "{}", number);
    } else {
        out += "null";
    }
}

void encode_integer(std::int64_t number, std::string& out) {
    fmt::format_to(std::back_inserter(out), "{}", number);
}

void encode_integer(std::uint64_t number, std::string& out) {
    fmt::format_to(std::back_inserter(out), "{}", number);
}

}  // namespace sheaf::json

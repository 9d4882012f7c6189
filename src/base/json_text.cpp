#include <cmath>
#include <iterator>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/json_encode.h"
#include "base/utf8.h"

namespace sheaf::json {

namespace {

void escape(char letter, std::string& out) {
    switch (letter) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        default: break;
    }
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", letter);
    } else {
        out += letter;
    }
}

}  // namespace

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

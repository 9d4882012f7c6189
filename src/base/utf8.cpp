#include "base/utf8.h"

#include <algorithm>

namespace sheaf {

std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
    const auto first = byte(0);
    if (first < 0x80) return text.empty() ? 0 : 1;
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

std::string_view utf8_prefix(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return text;
    // A character has at most three bytes after its first: a longer run of them cuts nothing whole.
    for (std::size_t back = 0; back <= std::min<std::size_t>(limit, 3); ++back)
        if (utf8_length(text.substr(limit - back)) > 0) return text.substr(0, limit - back);
    return text.substr(0, limit);
}

std::string showable(std::string_view text) {
    const auto controls = [](std::string_view character) {
        const auto first = static_cast<unsigned char>(character.front());
        return first < ' ' || first == 0x7f ||
               (first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0);
    };
    std::string shown;
    while (!text.empty()) {
        const auto length = utf8_length(text);
        const auto character = text.substr(0, std::max<std::size_t>(length, 1));
        shown += length == 0 || controls(character) ? "?" : character;
        text.remove_prefix(character.size());
    }
    return shown;
}

}  // namespace sheaf

#include "base/json_path.h"

#include <fmt/core.h>

#include "base/json_encode.h"
#include "base/utf8.h"

namespace sheaf::json {

namespace {

constexpr std::size_t shown_limit = 64;  // bytes of one name or value in a message

// The inside of a JSON string that holds `text`, cut where it is long.
std::string printable(std::string_view text) {
    auto out = std::string{};
    const auto shown = utf8_prefix(text, shown_limit);
    encode_value(shown, out);
    out = out.substr(1, out.size() - 2);
    if (shown.size() < text.size()) out += "...";
    return out;
}

std::string pointer_piece(std::string_view name) {
    auto piece = std::string{};
    for (const char letter : printable(name)) {
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

}  // namespace

std::string Path::text() const {
    if (!parent_) return "/";
    auto text = std::string{};
    for (const auto* path = this; path->parent_; path = path->parent_)
        text.insert(0, path->name_.data() ? "/" + pointer_piece(path->name_)
                                          : fmt::format("/{}", path->index_));
    return text;
}

std::string in_quotes(std::string_view text) {
    return fmt::format("\"{}\"", printable(text));
}

}  // namespace sheaf::json

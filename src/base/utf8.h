#pragma once

// Why: text from outside is shown to people and stored; what is not UTF-8 must be found first.

#include <cstddef>
#include <string>
#include <string_view>

namespace sheaf {

// How many bytes the first character of `text` has (1 to 4, RFC 3629), or 0 where the text is
// empty or does not begin with a valid one: overlong forms and surrogates are not valid.
std::size_t utf8_length(std::string_view text);

// The longest beginning of `text` of at most `limit` bytes that does not cut a character.
std::string_view utf8_prefix(std::string_view text, std::size_t limit);

// For a terminal: control characters and what is not UTF-8 become '?', one for each byte that has
// no place in text and one for each control character.
std::string showable(std::string_view text);

}  // namespace sheaf

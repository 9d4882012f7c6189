#include "storage/pool/name.h"

#include <algorithm>
#include <string>

#include "base/utf8.h"

namespace sheaf::pool {

namespace {

bool is_letter_or_digit(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
}

bool is_allowed(char letter) {
    return is_letter_or_digit(letter) || letter == '-' || letter == '.';
}

// The rest of a long name says nothing.
std::string shown(std::string_view name) {
    const auto beginning = utf8_prefix(name, longest_name + 1);
    return showable(beginning) + (beginning.size() < name.size() ? "..." : "");
}

}  // namespace

Result<void> check_name(std::string_view what, std::string_view name) {
    if (name.empty()) return fail(Kind::invalid, "the name of the {} is empty", what);
    if (name.size() > longest_name)
        return fail(Kind::invalid, "{} \"{}\": a name has at most {} characters, this one {}", what,
                    shown(name), longest_name, name.size());
    const auto* const wrong = std::ranges::find_if_not(name, is_allowed);
    if (wrong != name.end())
        return fail(Kind::invalid,
                    "{} \"{}\": a name has lower-case letters, digits, '-' and '.', nothing else",
                    what, shown(name));
    if (!is_letter_or_digit(name.front()))
        return fail(Kind::invalid, "{} \"{}\": a name begins with a letter or a digit", what, name);
    return {};
}

}  // namespace sheaf::pool

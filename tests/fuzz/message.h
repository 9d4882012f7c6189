#pragma once

// Why: whatever comes in, what a person is told of it is one line that any terminal can show, and
// of bounded length.

#include <cstdlib>

#include "base/error.h"
#include "base/utf8.h"

namespace sheaf::test {

// A check that holds whatever the input is.
inline void require(bool holds) {
    if (!holds) std::abort();
}

inline void check_message(std::string_view text) {
    constexpr std::size_t longest = 64 << 10;  // some sixty pieces of a path, each cut and escaped
    require(text.size() < longest);
    while (!text.empty()) {
        const auto length = utf8_length(text);
        require(length > 0 && static_cast<unsigned char>(text.front()) >= 0x20);
        text.remove_prefix(length);
    }
}

inline void check_message(const Error& error) {
    require(!error.text().empty());
    check_message(error.text());
}

}  // namespace sheaf::test

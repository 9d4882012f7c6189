#pragma once

// Why: a server is named by a URL; what cannot be one is refused where a person sees it.

#include <string>
#include <string_view>

#include "io/dial.h"

namespace sheaf::http {

// http[s]://HOST[:PORT]
struct Url {
    bool secure = false;
    io::HostPort peer;
    std::string text() const;
};

// The URL of a server: without a path, a user or a question. Fails with invalid.
Result<Url> parse_url(std::string_view text);

}  // namespace sheaf::http

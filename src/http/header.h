#pragma once

// Why: requests and answers of both ends carry the same small pairs of words.

#include <string>

namespace sheaf::http {

struct Header {
    std::string name;
    std::string value;
};

}  // namespace sheaf::http

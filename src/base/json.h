#pragma once

// Why: a structure is described once (BOOST_DESCRIBE_STRUCT) and is at once a JSON body, stored
// state and a constructor's argument. Unknown fields are refused, absent ones keep their defaults,
// and an error names the place as a JSON pointer: `/disks/0/cache: unknown value "wt"`.

#include "base/json_decode.h"
#include "base/json_encode.h"

namespace sheaf {

// Fails with invalid; the text begins with the path of what is wrong.
template <class T>
Result<T> decode(std::string_view text) {
    const auto document = TRY(parse_json(text));
    auto value = T{};
    TRY(json::decode_value(document, json::Path{}, value));
    return value;
}

// Fields that are empty optionals are left out.
template <class T>
std::string encode(const T& value) {
    auto text = std::string{};
    json::encode_value(value, text);
    return text;
}

}  // namespace sheaf

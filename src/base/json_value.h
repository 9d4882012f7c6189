#pragma once

// Why: JSON from outside as a plain tree, so that the parser is named in one source file and
// decoding (json.h) compiles against something small.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace sheaf {

class JsonValue {
  public:
    using Array = std::vector<JsonValue>;
    using Member = std::pair<std::string, JsonValue>;
    using Object = std::vector<Member>;  // in the order of the text, names unique
    using Content = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
                                 std::string, Array, Object>;

    JsonValue() = default;
    explicit JsonValue(Content content) : content_(std::move(content)) {}

    const Content& content() const { return content_; }
    bool is_null() const { return std::holds_alternative<std::nullptr_t>(content_); }
    // What it is, for a message: "a string", "an object", ...
    std::string_view type_name() const;

  private:
    Content content_;
};

// Documents nested deeper than this are refused.
inline constexpr unsigned json_depth_limit = 64;

// Parses one document. Fails with invalid, saying what is wrong and, where it can, the place;
// duplicate names in an object, invalid UTF-8 and anything after the document are wrong. The tree
// takes up to some 20 bytes a byte of text: the caller limits what it passes.
Result<JsonValue> parse_json(std::string_view text);

}  // namespace sheaf

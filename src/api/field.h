#pragma once

// Why: what may stand in an object is said once, as constant tables: they check what comes in, and
// are published as OpenAPI.

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace sheaf::api {

enum class Type : std::uint8_t {
    text,
    integer,
    boolean,
    quantity,  // "512Mi", "2", 2: docs/api.md, Quantities
    time,      // RFC 3339
    texts,     // an object whose values are texts
    object,    // of the fields, and no others
    anything,  // an object that is not looked into
};

enum class Need : std::uint8_t { optional, required };
enum class Count : std::uint8_t { one, list };

struct Field {
    std::string_view name;
    Type type = Type::text;
    std::string_view description;
    std::span<const Field> fields = {};  // of an object, or of each in a list
    Need need = Need::optional;
    Count count = Count::one;
    std::span<const std::string_view> choices = {};  // of a text; none: any
    std::int64_t least = std::numeric_limits<std::int64_t>::min();
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

}  // namespace sheaf::api

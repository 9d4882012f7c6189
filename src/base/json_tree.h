#pragma once

// Why: documents that are kept, changed and compared as they are, whatever is in them: objects of
// the API, patches, schemas. What has a structure of its own is decoded instead (json.h).

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace sheaf {

// A template so that a document can hold members that hold documents.
template <class Value>
struct NamedValue {
    std::string name;
    Value value;
};

// A value: copies, compares and moves. Any one thread.
class Json {
  public:
    using Member = NamedValue<Json>;
    using Array = std::vector<Json>;
    using Object = std::vector<Member>;  // in order, names unique
    using Content = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
                                 std::string, Array, Object>;
    using Names = std::initializer_list<std::string_view>;

    Json() = default;
    Json(bool value) : content_(value) {}
    Json(int value) : content_(std::int64_t{value}) {}
    Json(std::int64_t value) : content_(value) {}
    Json(std::uint64_t value) : content_(value) {}
    Json(double value) : content_(value) {}
    Json(const char* text) : content_(std::string{text}) {}
    Json(std::string_view text) : content_(std::string{text}) {}
    Json(std::string text) : content_(std::move(text)) {}
    Json(Array elements);
    Json(Object members);
    static Json object(std::initializer_list<Member> members);

    // As parse_json(): one document, strict; fails with invalid.
    static Result<Json> parse(std::string_view text);
    void write(std::string& out) const;
    std::string text() const;

    bool is_null() const { return std::holds_alternative<std::nullptr_t>(content_); }
    // What it is, or null where it is something else.
    const std::string* string() const { return std::get_if<std::string>(&content_); }
    const bool* boolean() const { return std::get_if<bool>(&content_); }
    const Array* array() const { return std::get_if<Array>(&content_); }
    const Object* object() const { return std::get_if<Object>(&content_); }
    Array* array() { return std::get_if<Array>(&content_); }
    Object* object() { return std::get_if<Object>(&content_); }
    // A whole number; none where it is something else or larger than 2^63 - 1.
    std::optional<std::int64_t> integer() const;
    // For a message: "a string", "an object", ...
    std::string_view type_name() const;

    // A member, or what is at the end of a path of members; null where there is none.
    const Json* find(std::string_view name) const;
    Json* find(std::string_view name);
    const Json* at(Names path) const;
    // The text there; empty where there is none.
    std::string_view text_at(Names path) const;
    // The member, made where it is not there; what is no object becomes an empty one.
    Json& operator[](std::string_view name);
    bool erase(std::string_view name);

    // Levels of arrays and objects.
    std::size_t depth() const;
    // Objects are equal whatever the order of their members; numbers by their value.
    friend bool operator==(const Json& one, const Json& other);

  private:
    Content content_;
};

}  // namespace sheaf

#pragma once

// Why: walking through what etcd answers: numbers are strings there, bytes are base64, and what is
// 0, empty or false is left out.

#include "base/json_value.h"
#include "store/kv.h"

namespace sheaf::kv::etcd {

// An object of an answer. The text or tree it looks at outlives it.
class Object {
  public:
    // Fails with corrupt where it is none.
    static Result<Object> of(const JsonValue& value);

    // Null where there is no such member.
    const JsonValue* find(std::string_view name) const;
    // 0, empty, false where there is no such member; corrupt where it is something else.
    Result<std::uint64_t> number(std::string_view name) const;
    Result<std::string> text(std::string_view name) const;
    Result<std::string> bytes(std::string_view name) const;
    Result<bool> flag(std::string_view name) const;
    Result<Object> object(std::string_view name) const;
    Result<std::vector<Object>> objects(std::string_view name) const;

  private:
    explicit Object(const JsonValue::Object& members) : members_(&members) {}
    const JsonValue::Object* members_;
};

// Fails with corrupt where it is no JSON.
Result<JsonValue> parse_answer(std::string_view text);

}  // namespace sheaf::kv::etcd

#pragma once

// Why: lists and watches are of the objects that a client asks for by their labels and fields
// (docs/api.md, Selecting).

#include "api/kind.h"
#include "base/result.h"

namespace sheaf::api {

// A value. Any one thread.
class Selector {
  public:
    // `labels` as labelSelector, `fields` as fieldSelector; both may be empty. Fails with invalid,
    // also where a field is not among the kind's selectable ones.
    static Result<Selector> parse(const Kind& kind, std::string_view labels,
                                  std::string_view fields);

    bool selects_all() const { return requirements_.empty(); }
    bool selects(const Json& object) const;

  private:
    enum class Test { in, not_in, exists, missing };
    struct Requirement {
        bool of_label = true;
        std::string name;
        Test test = Test::in;
        std::vector<std::string> values;
    };

    static Result<Requirement> parse_label(std::string_view text);
    static Result<Requirement> parse_field(const Kind& kind, std::string_view text);
    static bool holds(const Requirement& requirement, const Json& object);

    std::vector<Requirement> requirements_;
};

// The text at a path of members with points, as columns and fields are named: numbers and booleans
// as they are written; empty where there is nothing.
std::string text_at_path(const Json& object, std::string_view path);

}  // namespace sheaf::api

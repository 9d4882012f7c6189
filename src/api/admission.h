#pragma once

// Why: what a client sends becomes what is kept, by rules that need neither store nor time: what is
// the server's stays the server's, what is wrong is named (docs/api.md, Writing).

#include <expected>

#include "api/answer.h"

namespace sheaf::api {

// What a request is about.
struct Place {
    const Kind* kind = nullptr;
    std::string name_space;  // empty: of the cluster, or all of them
    std::string name;        // empty: of the collection
    bool status = false;     // its subresource
    Subject subject() const { return {kind, name}; }
};

enum class FieldValidation { strict, warn, ignore };

struct WriteOptions {
    bool dry_run = false;
    FieldValidation validation = FieldValidation::strict;
    bool may_reach_host = true;        // docs/api.md, Who may what
    std::optional<Json> managed = {};  // becomes metadata.managedFields
};

// What the server gives a new object.
struct Birth {
    std::string uid;
    std::string time;
    std::string name_suffix;  // behind generateName
};

// What is to be kept, without apiVersion, kind and resourceVersion; warnings are added to.
using Admitted = std::expected<Json, Answer>;
Admitted admit_new(const Place& place, Json body, const WriteOptions& options, const Birth& birth,
                   std::vector<std::string>& warnings);
// `before` is the object as it was published.
Admitted admit_change(const Place& place, const Json& before, Json body,
                      const WriteOptions& options, std::vector<std::string>& warnings);

// Whether an object's end was asked for, and whether somebody holds it up.
bool is_terminating(const Json& object);
bool has_finalizers(const Json& object);
// The same object, asked to end at this time.
Json terminating(Json object, std::string_view time);

}  // namespace sheaf::api

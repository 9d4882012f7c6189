#pragma once

// Why: several clients describe parts of one object, each the whole of its part. Who described what
// is kept with the object, so that nobody undoes another's work unseen (docs/api.md, Server-side
// apply).

#include <expected>

#include "api/admission.h"

namespace sheaf::api {

// What a client applies.
struct Application {
    std::string manager;
    bool force = false;
    Json configuration;
    std::string time;
};

struct Applied {
    Json object;
    Json managed;  // for metadata.managedFields
};

// `before`: the object as it was published; null: there is none. 409 with a cause for each field
// that somebody else has set otherwise.
std::expected<Applied, Answer> apply(const Place& place, const Json* before,
                                     const Application& application);

// What stays of metadata.managedFields where a client changed an object by another way: fields that
// have another value now are nobody's.
Json disowned(Json managed, const Json& before, const Json& after);

}  // namespace sheaf::api

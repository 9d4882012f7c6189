#pragma once

// Why: an object is held against the fields of its kind, and every mistake is named by its path.

#include "api/kind.h"

namespace sheaf::api {

struct UnknownField {
    std::string path;
    std::span<const Field> known;  // those that there are in its place
};

// Checks what stands beside apiVersion, kind and metadata. A null is taken out, as if it were not
// there. Unknown fields are taken out too and put into `unknown`; other mistakes go into `causes`.
void check_fields(const Kind& kind, Json& object, std::vector<UnknownField>& unknown,
                  Causes& causes);

// The same of metadata: names, labels, annotations, finalizers, owners.
void check_metadata(const Kind& kind, Json& metadata, std::vector<UnknownField>& unknown,
                    Causes& causes);

// The fields of metadata, for what is published.
std::span<const Field> metadata_fields();

}  // namespace sheaf::api

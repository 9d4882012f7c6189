#pragma once

// Why: every request ends in a document and a status: an object, or a Status that says what is
// wrong in the words that clients of Kubernetes know.

#include <string>
#include <vector>

#include "api/kind.h"
#include "base/error.h"

namespace sheaf::api {

struct Answer {
    unsigned status = 200;
    std::string body;                   // JSON
    std::vector<std::string> warnings;  // for Warning headers
    bool ok() const { return status < 400; }
};

// What a failure is about; names may be empty.
struct Subject {
    const Kind* kind = nullptr;
    std::string name;
};

// {"kind": "Status", ...} as docs/api.md has it. `reason` is Kubernetes' own: "NotFound", ...
Json status_document(unsigned code, std::string_view reason, std::string message,
                     const Subject& subject = {}, const Causes& causes = {});
Answer failure(unsigned code, std::string_view reason, std::string message,
               const Subject& subject = {}, const Causes& causes = {});

// 404 of an object; 422 of one that has mistakes; 400 of a request; 409.
Answer not_found(const Subject& subject);
Answer invalid(const Subject& subject, const Causes& causes);
Answer bad_request(std::string message);
Answer conflict(const Subject& subject, std::string_view why);
// What the store or the host could not do: 410, 503, 504 or 500 by its kind.
Answer failure(const Error& error);

}  // namespace sheaf::api

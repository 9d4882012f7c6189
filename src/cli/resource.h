#pragma once

// Why: what kinds there are the server says (discovery): a kind that is new to it needs nothing new
// here.

#include <span>

#include "cli/api_client.h"

namespace sheaf::cli {

// A kind of object, as discovery tells of it.
struct Resource {
    std::string group;  // empty: the core group
    std::string version;
    std::string plural;
    std::string singular;
    std::string kind;
    std::vector<std::string> short_names;
    bool namespaced = false;

    // "v1", "kubevirt.io/v1".
    std::string api_version() const;
    // "virtualmachine.kubevirt.io/web", as answers name an object.
    std::string title(std::string_view name) const;
    // Of all of its objects in a namespace, or in all namespaces where none is named; of one object
    // with its name.
    std::string path(std::string_view name_space, std::string_view name = {}) const;
};

class Resources {
  public:
    // Asks for all that there are.
    static Result<Resources> discover(ApiClient& client);
    // Takes an APIResourceList. Fails with invalid where it is none.
    Result<void> add(const Json& list);

    // By plural, singular, kind, short name, or plural.group, in any case. Fails with not_found.
    Result<Resource> named(std::string_view word) const;
    // What a document is of, by its apiVersion and kind. Fails with invalid or not_found.
    Result<Resource> of_document(const Json& document) const;
    std::span<const Resource> all() const { return all_; }

  private:
    std::vector<Resource> all_;
};

// A part of a path or a query, with everything encoded that has a meaning there (RFC 3986).
std::string url_part(std::string_view text);

}  // namespace sheaf::cli

#pragma once

// Why: a controller remembers objects by their name alone; what they are it reads when it acts.

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "api/admission.h"

namespace sheaf::control {

struct ObjectKey {
    std::string name_space;  // empty: of the cluster
    std::string name;
    auto operator<=>(const ObjectKey&) const = default;

    std::string text() const { return name_space.empty() ? name : name_space + "/" + name; }
    api::Place place(const api::Kind& kind) const { return {&kind, name_space, name, false}; }
};

// Of an object as it was read.
ObjectKey key_of(const Json& object);

// Which object a record of the store is (docs/api.md, Storage); none where it is none.
struct KindAndKey {
    const api::Kind* kind = nullptr;
    ObjectKey key;
};
std::optional<KindAndKey> parse_record_key(std::string_view key);

}  // namespace sheaf::control

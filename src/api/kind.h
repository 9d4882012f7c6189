#pragma once

// Why: a kind of object is a description; storing, checking, listing and publishing are the same
// for all of them (docs/api.md).

#include <string>

#include "api/causes.h"
#include "api/field.h"
#include "base/json_tree.h"

namespace sheaf::api {

enum class Scope : std::uint8_t { cluster, namespaced };
enum class StatusBy : std::uint8_t { itself, subresource };

// Of a table; the first, Name, and the last, Age, are of every kind.
struct Column {
    std::string_view name;
    std::string_view path;  // of members, with points
    std::string_view description;
    int priority = 0;  // above 0: only where wide output is asked for
};

// Constant. What the functions are given has passed the fields.
struct Kind {
    std::string_view group;  // empty: the core group
    std::string_view version;
    std::string_view name;
    std::string_view plural;
    std::string_view singular;
    std::span<const std::string_view> short_names;
    Scope scope = Scope::namespaced;
    StatusBy status = StatusBy::itself;
    std::string_view description;
    std::span<const Field> fields;  // beside apiVersion, kind and metadata
    std::span<const Column> columns;
    std::span<const std::string_view> selectable = {};  // paths for fieldSelector
    // Fills in defaults, before the check. Null: there are none.
    void (*prepare)(Json& object) = nullptr;
    // What the fields cannot say. `before` is null at creation.
    void (*check)(const Json& object, const Json* before, Causes& causes) = nullptr;
    // Whether such an object opens what is of the host itself, so that only who may do everything
    // makes one. Null: none does.
    bool (*reaches_host)(const Json& object) = nullptr;
    // Whether who deletes one may say what becomes of what was made for it: its reconciler knows
    // the finalizers of Propagation.
    bool has_dependents = false;

    bool namespaced() const { return scope == Scope::namespaced; }
    bool has_status() const { return status == StatusBy::subresource; }
    // "v1", or "kubevirt.io/v1".
    std::string api_version() const;
    // "virtualmachines.kubevirt.io", as messages say it.
    std::string resource() const;
};

// In the order of discovery. Never changes.
std::span<const Kind* const> all_kinds();
// Null where there is none.
const Kind* find_kind(std::string_view group, std::string_view version, std::string_view plural);

extern const Kind namespace_kind;

}  // namespace sheaf::api

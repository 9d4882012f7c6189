#pragma once

// Why: the directory of all layers of a pool, and who has claims on which
// (docs/formats/pool.md, "Claims"). The pool's lock is held by whoever calls, except where it says.

#include <optional>

#include "storage/pool/directory.h"
#include "storage/pool/id.h"

namespace sheaf::pool {

// Makes a layer with empty files and the owner's claim, all of it stable.
Result<void> add_layer(const Directory& layers, const Id& layer, const Id& owner);
// Fails with not_found where there is no such layer.
Result<void> add_claim(const Directory& layers, const Id& layer, const Id& owner);
// Ends a claim; true where it was the last one and the layer is gone from sight: remove_gone() then
// gives its space back.
Result<bool> end_claim(const Directory& layers, const Id& layer, const Id& owner);
Result<bool> has_claim(const Directory& layers, const Id& layer, const Id& owner);
Result<bool> has_other_claims(const Directory& layers, const Id& layer, const Id& owner);
// Layers that somebody began to make and did not finish.
Result<void> remove_unfinished(const Directory& layers);

// Layers that are gone from sight: this one, or all. The lock need not be held.
Result<void> remove_gone(const Directory& layers, const Id& layer);
Result<void> remove_all_gone(const Directory& layers);

// In a volume's directory: the empty file that says that it may have a claim on the layer.
std::string note_name(const Id& layer);
// The layers that a volume's directory has notes of.
Result<std::vector<Id>> noted_layers(const Directory& volume);

inline constexpr std::string_view new_prefix = ".new-";
inline constexpr std::string_view gone_prefix = ".gone-";
// The id behind one of these; none for another name.
std::optional<Id> id_behind(std::string_view prefix, std::string_view name);

}  // namespace sheaf::pool

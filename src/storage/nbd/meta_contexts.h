#pragma once

// Why: what a client can ask about ranges of an export, beside their content.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "storage/nbd/exports.h"

namespace sheaf::nbd {

constexpr std::size_t most_contexts = 16;

struct MetaContext {
    enum class Meaning : std::uint8_t { allocation, dirty };
    std::string name;
    std::uint32_t id = 0;
    Meaning meaning = Meaning::allocation;
    storage::Extents* extents = nullptr;
};

// Everything that can be asked of an export.
std::vector<MetaContext> contexts_of(const Export& exported);

// Those that a query of NBD_OPT_LIST_META_CONTEXT finds; no query at all finds all.
std::vector<MetaContext> find_contexts(const Export& exported,
                                       std::span<const std::string> queries);
// Those that NBD_OPT_SET_META_CONTEXT selects, by their whole names. Fails with exhausted where
// there are more than most_contexts.
Result<std::vector<MetaContext>> select_contexts(const Export& exported,
                                                 std::span<const std::string> queries);

// The flags that say so on the wire.
std::uint32_t state_of(MetaContext::Meaning meaning, storage::Extent::Kind kind);

}  // namespace sheaf::nbd

#pragma once

// Why: what a client sends with an option is lists within lists whose lengths it chose. They are
// taken apart here, apart from any connection.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace sheaf::nbd {

constexpr std::size_t most_queries = 64;

// A name by the protocol's rules: at most 4096 bytes of UTF-8 without NUL. Fails with invalid.
Result<std::string> parse_name(std::span<const std::byte> bytes);

// Of NBD_OPT_INFO and NBD_OPT_GO.
struct InfoRequest {
    std::string name;
    bool wants_name = false;
    bool wants_description = false;
};
Result<InfoRequest> parse_info(std::span<const std::byte> data);

// Of NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT.
struct ContextRequest {
    std::string name;
    std::vector<std::string> queries;
};
// Fails with exhausted where there are more than most_queries.
Result<ContextRequest> parse_contexts(std::span<const std::byte> data);

}  // namespace sheaf::nbd

#pragma once

// Why: the lines of a keeper's socket (docs/formats/keeper-control.md), for both of its ends. The
// ends may be of different versions: what is not known is passed over.

#include "base/json_tree.h"
#include "base/units.h"
#include "node/keeper_status.h"

namespace sheaf::node::keeper {

inline constexpr std::string_view hello = "sheaf-keeper";
inline constexpr int oldest_version = 1;
inline constexpr int version = 1;
inline constexpr std::size_t longest_request = 64_KiB;
inline constexpr std::size_t longest_line = 4_MiB;  // from a keeper

// A request by its line. Fails with invalid where it is none, unsupported for another version.
Result<Json> parse_request(std::string_view line);
std::string error_line(const Error& error);

Json to_json(const KeeperStatus& status);
// Fails with unsupported for a state that is not known here.
Result<KeeperStatus> parse_status(const Json& status);

// What an answer's line gives, or the error that it tells. Fails with invalid where it is none.
Result<Json> parse_answer(std::string_view line);

}  // namespace sheaf::node::keeper

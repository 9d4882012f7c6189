#pragma once

// Why: what a pool and a volume say about themselves outside their content, so that both can be
// listed and removed without opening an engine (docs/formats/pool.md).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/describe.hpp>

#include "storage/pool/directory.h"
#include "storage/pool/id.h"

namespace sheaf::pool {

struct PoolAbout {
    int version = 1;
    unsigned hard_stop_percent = 2;  // of the file system, which data files leave free
};
BOOST_DESCRIBE_STRUCT(PoolAbout, (), (version, hard_stop_percent))

struct VolumeAbout {
    int version = 1;
    std::string id;
    std::string created;                // RFC 3339, UTC
    std::optional<std::string> source;  // of an image: where it came from
    std::optional<std::string> sha256;  // and of what was imported
    std::optional<std::string> node;    // of a copy of a replicated volume: whose it is
};
BOOST_DESCRIBE_STRUCT(VolumeAbout, (), (version, id, created, source, sha256, node))

// What is in the files. Fails with corrupt, or with unsupported for another version.
Result<PoolAbout> parse_pool_about(std::string_view text);
Result<VolumeAbout> parse_volume_about(std::string_view text);

// Fails with not_found where there is no such file, and as parsing does.
Result<PoolAbout> read_pool_about(const Directory& pool);
Result<void> write_about(const Directory& pool, const PoolAbout& about);

Result<VolumeAbout> read_volume_about(const Directory& volume);
Result<void> write_about(const Directory& volume, const VolumeAbout& about);

// The volume's id: what its about.json says, or its journal where that is damaged.
Result<Id> id_of(const Directory& volume);

// Whether it is one copy of a replicated volume: what its about.json says, or its journal.
bool is_copy(const Directory& volume);

// A time, the current one, as it is written there.
std::string timestamp(std::chrono::system_clock::time_point at = std::chrono::system_clock::now());

}  // namespace sheaf::pool

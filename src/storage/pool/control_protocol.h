#pragma once

// Why: the messages of docs/formats/volume-control.md, as values.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "base/result.h"
#include "storage/volume/format.h"

namespace sheaf::pool {

inline constexpr int control_version = 1;
inline constexpr std::size_t control_request_limit = 64 << 10;  // bytes of a line
inline constexpr std::size_t control_reply_limit = 32 << 20;    // the most layers fit into it

struct ControlHello {
    std::string hello = "sheaf-volume";
    int version = control_version;
    std::string volume;
};
BOOST_DESCRIBE_STRUCT(ControlHello, (), (hello, version, volume))

BOOST_DEFINE_ENUM_CLASS(ControlVerb, status, snapshot_create, snapshot_delete, snapshot_revert,
                        resize, flatten, check, chain)

struct ControlRequest {
    int version = control_version;
    ControlVerb request = ControlVerb::status;
    std::optional<std::string> name;
    std::optional<std::uint64_t> size;
};
BOOST_DESCRIBE_STRUCT(ControlRequest, (), (version, request, name, size))

struct SnapshotStatus {
    std::string name;
    std::uint64_t created = 0;  // nanoseconds since 1970
    std::uint64_t size = 0;     // bytes
    std::uint64_t own = 0;      // bytes that no other layer has
};
BOOST_DESCRIBE_STRUCT(SnapshotStatus, (), (name, created, size, own))

// What a check has seen.
struct CheckReport {
    std::vector<std::string> found;    // that any opening puts right, or that was repaired now
    std::vector<std::string> damaged;  // and stays so
    std::uint64_t bytes = 0;           // that were read and held against their checksums
    std::uint64_t snapshots = 0;
};
BOOST_DESCRIBE_STRUCT(CheckReport, (), (found, damaged, bytes, snapshots))

struct VolumeStatus {
    std::uint64_t size = 0;       // bytes
    std::uint64_t allocated = 0;  // bytes, of its own layers
    bool merging = false;
    bool base = false;
    std::vector<SnapshotStatus> snapshots;
    std::optional<std::vector<std::string>> chain;  // the answer to `chain`
    std::optional<CheckReport> checked;             // to `check`
};
BOOST_DESCRIBE_STRUCT(VolumeStatus, (), (size, allocated, merging, base, snapshots, chain, checked))

struct ControlProgress {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(ControlProgress, (), (done, total))

struct ControlError {
    std::string kind;
    std::string detail;
};
BOOST_DESCRIBE_STRUCT(ControlError, (), (kind, detail))

// One of the three.
struct ControlReply {
    std::optional<ControlProgress> progress;
    std::optional<VolumeStatus> result;
    std::optional<ControlError> error;
};
BOOST_DESCRIBE_STRUCT(ControlReply, (), (progress, result, error))

// The first line from the engine. Fails with unsupported for another version, with corrupt for what
// is no greeting.
Result<void> check_hello(std::string_view line);

// A later line from the engine. Fails with corrupt where it is none of the three. What is for
// people is fit to be shown: control characters in it are '?'.
Result<ControlReply> parse_reply(std::string_view line);

// A table entry as text, and back (corrupt for anything else).
std::string to_text(const volume::LayerEntry& entry);
Result<volume::LayerEntry> parse_layer_entry(std::string_view text);

}  // namespace sheaf::pool

#pragma once

// Why: whether a volume is attached, and how its copies are doing, only its engine knows. It says
// so in a record that goes with its process. Nothing is decided by it: people read it. What:
// docs/formats/membership.md, "What the engine tells".

#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "base/result.h"

namespace sheaf::replica {

// In the words of Longhorn: read and written, written only (being rebuilt), or of no use now.
// NOLINTNEXTLINE(readability-identifier-naming): they are told, and kept, in these words
enum class CopyMode : std::uint8_t { RW, WO, ERR };
BOOST_DESCRIBE_ENUM(CopyMode, RW, WO, ERR)

struct CopyReport {
    std::string node;
    CopyMode mode = CopyMode::RW;
    std::uint64_t lag = 0;      // bytes that it lacks, as far as this engine knows
    std::uint64_t copied = 0;   // of the rebuild that runs
    std::uint64_t to_copy = 0;  // 0: none runs
    std::string error;
    bool operator==(const CopyReport&) const = default;
};
BOOST_DESCRIBE_STRUCT(CopyReport, (), (node, mode, lag, copied, to_copy, error))

struct Attachment {
    int version = 1;
    std::string node;
    std::uint64_t epoch = 0;
    bool stalled = false;
    std::uint64_t healed = 0;  // reads that found a damaged block, and put it right
    std::vector<CopyReport> copies;
    bool operator==(const Attachment&) const = default;
};
BOOST_DESCRIBE_STRUCT(Attachment, (), (version, node, epoch, stalled, healed, copies))

// Any thread, all of them.
std::string attachment_key(std::string_view volume);
// Fails with corrupt or unsupported.
Result<Attachment> parse_attachment(std::string_view text);
std::string encode_attachment(const Attachment& attachment);

}  // namespace sheaf::replica

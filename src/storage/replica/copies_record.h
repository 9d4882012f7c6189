#pragma once

// Why: which nodes have a copy of a volume, and where each is reached, is known to all who ask the
// store; and a copy is made, or removed, only where that record says so. What:
// docs/formats/membership.md, "Where the copies are".

#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "base/result.h"

namespace sheaf::replica {

enum class CopiesState : std::uint8_t { creating, kept, deleting };
BOOST_DESCRIBE_ENUM(CopiesState, creating, kept, deleting)

struct CopyPlace {
    std::string node;
    std::string address;
    bool operator==(const CopyPlace&) const = default;
};
BOOST_DESCRIBE_STRUCT(CopyPlace, (), (node, address))

struct CopiesRecord {
    int version = 1;
    std::string id;  // as in the membership record
    std::uint64_t size = 0;
    CopiesState state = CopiesState::creating;
    std::vector<CopyPlace> copies;
    bool operator==(const CopiesRecord&) const = default;

    const CopyPlace* find(std::string_view node) const;
};
BOOST_DESCRIBE_STRUCT(CopiesRecord, (), (version, id, size, state, copies))

// Any thread, all of them.
std::string copies_key(std::string_view volume);
// Fails with corrupt or unsupported, naming the place.
Result<CopiesRecord> parse_copies(std::string_view text);
std::string encode_copies(const CopiesRecord& record);

}  // namespace sheaf::replica

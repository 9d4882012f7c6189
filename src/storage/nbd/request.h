#pragma once

// Why: whether a request may be carried out is decided before anything is done for it, from its
// header and from what the export is.

#include <optional>
#include <string>

#include "base/error.h"
#include "storage/block.h"
#include "storage/nbd/protocol.h"

namespace sheaf::nbd {

struct Request {
    Command command = Command::read;
    std::uint16_t flags = 0;
    std::uint64_t cookie = 0;
    std::uint64_t offset = 0;
    std::uint32_t length = 0;

    bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
};

// A request that was not carried out, or failed.
struct Refusal {
    WireError error = WireError::none;
    std::string text;
};

// What the client was told when it chose its export.
struct Offer {
    storage::Geometry geometry;  // read_only also where only the export is
    std::uint16_t flags = 0;     // transmission flags
    std::size_t contexts = 0;    // of block status, that it selected
};

Request parse_request(const RequestHeader& header);
// Bytes of content that follow the request in the stream.
std::uint32_t payload_of(const Request& request);
// Bytes of memory that carrying it out takes, until its reply has been sent.
std::size_t cost_of(const Request& request, const Offer& offer);

std::optional<Refusal> check(const Request& request, const Offer& offer);

// What a client is told of a failure of the disk.
Refusal refusal_of(const Error& error);

}  // namespace sheaf::nbd

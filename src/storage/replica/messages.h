#pragma once

// Why: what travels behind a header, as values. Everything from outside is checked here, once.
// Bytes: docs/formats/replica-wire.md, "Requests".

#include <array>
#include <string>
#include <vector>

#include "storage/replica/replica.h"
#include "storage/replica/wire.h"

namespace sheaf::replica {

using Bytes = std::vector<std::byte>;

struct Hello {
    std::uint16_t oldest_version = wire_version;
    std::uint16_t newest_version = wire_version;
    std::uint32_t requests = most_requests;
    std::uint32_t payload = most_payload;
    volume::Id volume{};
    std::string node;
    std::string to;  // whose copy is meant; empty: of whoever is reached
    bool operator==(const Hello&) const = default;
};

// Of which copy a connection is to make, or to remove, the volume.
struct CopyRequest {
    std::uint16_t oldest_version = wire_version;
    std::uint16_t newest_version = wire_version;
    volume::Id volume{};
    std::string node;  // whose copy
    std::string name;  // of the volume
    bool operator==(const CopyRequest&) const = default;
};

struct Welcome {
    std::uint16_t version = wire_version;
    std::uint32_t requests = most_requests;
    std::uint32_t in_flight = most_in_flight;
    std::uint32_t volume = 0;
    std::uint64_t incarnation = 0;
    std::uint64_t size = 0;
    bool operator==(const Welcome&) const = default;
};

// Any thread, all of them. Those that parse fail with corrupt, naming what is wrong.
Bytes encode(const Hello& hello);
Result<Hello> parse_hello(std::span<const std::byte> bytes);
Bytes encode(const CopyRequest& request);
Result<CopyRequest> parse_copy_request(std::span<const std::byte> bytes);
// Fails with unsupported where no version is common.
Result<void> check_version(std::uint16_t oldest, std::uint16_t newest);
Bytes encode(const Welcome& welcome);
Result<Welcome> parse_welcome(std::span<const std::byte> bytes);
// A copy with more ranges than fit tells of fewer, larger ones.
Bytes encode(const Sealed& sealed);
Result<Sealed> parse_sealed(std::span<const std::byte> bytes);
Bytes encode(const Status& status);
Result<Status> parse_status(std::span<const std::byte> bytes);
Bytes encode(std::span<const std::uint64_t> numbers);
Result<std::vector<std::uint64_t>> parse_numbers(std::span<const std::byte> bytes);

// 1 to 63 of a-z, 0-9, '.' and '-'; invalid where not.
Result<void> check_node_name(std::string_view name);

}  // namespace sheaf::replica

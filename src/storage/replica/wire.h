#pragma once

// Why: the bytes between an engine and its copies, as docs/formats/replica-wire.md has them, as a
// structure whose layout the compiler checks. Nothing here waits, sends or receives.

#include <cstdint>
#include <span>

#include "base/result.h"

namespace sheaf::replica {

inline constexpr std::uint32_t wire_magic = 0x50524853;  // "SHRP"
inline constexpr std::uint16_t wire_version = 1;
inline constexpr std::uint64_t unit = 4096;               // of every range, bytes
inline constexpr std::uint32_t most_payload = 1 << 20;    // of one message
inline constexpr std::uint64_t digest_span = 128 << 10;   // bytes of the volume behind one digest
inline constexpr std::uint32_t most_requests = 128;       // of a connection, in flight
inline constexpr std::uint32_t most_in_flight = 8 << 20;  // bytes of their payloads and answers
inline constexpr std::size_t longest_name = 63;           // of a node, a volume, a snapshot
inline constexpr std::size_t longest_sentence = 512;      // of a failure

enum class Type : std::uint8_t {
    hello = 1,
    seal,
    write,
    read,
    flush,
    discard,
    zero,
    generation,
    snapshot,
    delete_snapshot,
    resize,
    digests,
    status,
    moment,
    settled,
    create,
    remove,
};

inline constexpr std::uint8_t flag_reply = 1;
inline constexpr std::uint8_t flag_release = 2;

struct Header {
    std::uint32_t magic = wire_magic;
    Type type{};
    std::uint8_t flags = 0;
    std::uint16_t status = 0;
    std::uint32_t volume = 0;
    std::uint32_t payload_length = 0;
    std::uint64_t epoch = 0;
    std::uint64_t generation = 0;
    std::uint64_t sequence = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    std::uint32_t payload_checksum = 0;
    std::uint32_t checksum = 0;

    bool is_reply() const { return (flags & flag_reply) != 0; }
};
static_assert(sizeof(Header) == 64);

// Any thread, all of them.
// The header as it is sent, with its payload's length and checksum, and its own.
Header sealed(Header header, std::span<const std::byte> payload);
// What begins a message. Fails with corrupt where it is no header of ours, whole: the stream is
// then of no use. Says nothing of what the message asks for.
Result<Header> parse_header(std::span<const std::byte> bytes);
// Fails with corrupt where the payload is not the one that was sent.
Result<void> check_payload(const Header& header, std::span<const std::byte> payload);

// Whether a request has the form that its type demands: lengths, flags, range. corrupt: nobody who
// speaks this protocol sends such a thing.
Result<void> check_request(const Header& header);
// Whether the range lies within a volume of so many bytes; invalid where not.
Result<void> check_within(const Header& header, std::uint64_t size);
// What a reply to this request has of it.
Header reply_to(const Header& request);
// Whether the reply repeats what it must; corrupt where not.
Result<void> check_reply(const Header& request, const Header& reply);

bool has_range(Type type);
// What comes first in a connection, and without a number of the volume.
bool is_first(Type type);
const char* to_string(Type type);

// A failure as it travels, and back. `text` is cut to what may be sent.
std::uint16_t status_of(Kind kind);
Failure failure_of(const Header& reply, std::span<const std::byte> sentence);

}  // namespace sheaf::replica

#include "storage/replica/wire.h"

#include "base/bytes.h"
#include "base/units.h"
#include "base/utf8.h"
#include "storage/checksum.h"

namespace sheaf::replica {

namespace {

constexpr auto last_kind = static_cast<std::uint16_t>(Kind::io) + 1;

std::uint32_t checksum_of(const Header& header) {
    return storage::crc32c(bytes_of(header).first(sizeof(Header) - sizeof(header.checksum)));
}

bool known(Type type) {
    return type >= Type::hello && type <= Type::remove;
}

// Ranges whose content, or what is told of it, travels.
bool is_bounded(Type type) {
    return type == Type::read || type == Type::write;
}

Failure strange(const Header& header, const char* what) {
    return fail(Kind::corrupt, "a request to {}: {}", to_string(header.type), what);
}

Result<void> check_payload_length(const Header& header) {
    const auto length = header.payload_length;
    switch (header.type) {
        case Type::hello:
        case Type::create:
        case Type::remove: return {};
        case Type::seal:
            if (length != 8) return strange(header, "not one number");
            return {};
        case Type::write:
            if (length != header.length) return strange(header, "its content is not of its range");
            return {};
        case Type::snapshot:
        case Type::delete_snapshot:
            if (length == 0 || length > longest_name)
                return strange(header, "a name of 1 to 63 bytes");
            return {};
        default:
            if (length != 0) return strange(header, "nothing follows it");
            return {};
    }
}

Result<void> check_range(const Header& header) {
    if (header.type == Type::settled && header.length == 0) return {};
    if (header.type == Type::resize || header.type == Type::create) {
        if (header.offset != 0 || header.length == 0 || header.length % unit != 0)
            return strange(header, "not a size");
        return {};
    }
    if (!has_range(header.type)) {
        if (header.offset != 0 || header.length != 0) return strange(header, "it has no range");
        return {};
    }
    const auto end = checked_add(header.offset, header.length);
    if (header.length == 0 || (header.offset | header.length) % unit != 0 || !end)
        return strange(header, "its range is not whole blocks");
    if (is_bounded(header.type) && header.length > most_payload)
        return strange(header, "its range is too large");
    if (header.type == Type::digests &&
        (header.offset % digest_span != 0 || header.length > most_payload / 8 * digest_span))
        return strange(header, "its range is not of digests");
    return {};
}

}  // namespace

const char* to_string(Type type) {
    switch (type) {
        case Type::hello: return "say hello";
        case Type::seal: return "seal";
        case Type::write: return "write";
        case Type::read: return "read";
        case Type::flush: return "flush";
        case Type::discard: return "discard";
        case Type::zero: return "zero";
        case Type::generation: return "set the generation";
        case Type::snapshot: return "take a snapshot";
        case Type::delete_snapshot: return "delete a snapshot";
        case Type::resize: return "resize";
        case Type::digests: return "give digests";
        case Type::status: return "give its status";
        case Type::moment: return "name a moment";
        case Type::settled: return "settle";
        case Type::create: return "make a copy";
        case Type::remove: return "remove a copy";
    }
    return "do what nobody knows";
}

bool has_range(Type type) {
    return type == Type::write || type == Type::read || type == Type::discard ||
           type == Type::zero || type == Type::digests;
}

bool is_first(Type type) {
    return type == Type::hello || type == Type::create || type == Type::remove;
}

Header sealed(Header header, std::span<const std::byte> payload) {
    header.payload_length = static_cast<std::uint32_t>(payload.size());
    header.payload_checksum = payload.empty() ? 0 : storage::crc32c(payload);
    header.checksum = checksum_of(header);
    return header;
}

Result<Header> parse_header(std::span<const std::byte> bytes) {
    if (bytes.size() < sizeof(Header)) return fail(Kind::corrupt, "half a header");
    const auto header = load<Header>(bytes);
    if (header.magic != wire_magic)
        return fail(Kind::corrupt, "{:#x} where a message begins", header.magic);
    if (header.checksum != checksum_of(header))
        return fail(Kind::corrupt, "a header with a wrong checksum");
    if (!known(header.type))
        return fail(Kind::corrupt, "a message of type {}", static_cast<unsigned>(header.type));
    if (header.payload_length > most_payload)
        return fail(Kind::corrupt, "a message of {} bytes", header.payload_length);
    const auto allowed = header.type == Type::zero ? flag_reply | flag_release : flag_reply;
    if ((header.flags & ~allowed) != 0)
        return fail(Kind::corrupt, "flags {:#x} of a message to {}", header.flags,
                    to_string(header.type));
    if (header.status > (header.is_reply() ? last_kind : 0))
        return fail(Kind::corrupt, "status {}", header.status);
    if (header.payload_length == 0 && header.payload_checksum != 0)
        return fail(Kind::corrupt, "a checksum of nothing");
    return header;
}

Result<void> check_payload(const Header& header, std::span<const std::byte> payload) {
    if (payload.empty() || storage::crc32c(payload) == header.payload_checksum) return {};
    return fail(Kind::corrupt, "what came to {} has a wrong checksum", to_string(header.type));
}

Result<void> check_request(const Header& header) {
    if (header.is_reply()) return fail(Kind::corrupt, "a reply where a request belongs");
    TRY(check_payload_length(header));
    return check_range(header);
}

Result<void> check_within(const Header& header, std::uint64_t size) {
    if (!has_range(header.type) || header.offset + header.length <= size) return {};
    return fail(Kind::invalid, "{} bytes at {} reach beyond the end at {}", header.length,
                header.offset, size);
}

Header reply_to(const Header& request) {
    auto reply = request;
    reply.flags = static_cast<std::uint8_t>((request.flags & flag_release) | flag_reply);
    reply.payload_length = 0;
    reply.payload_checksum = 0;
    return reply;
}

Result<void> check_reply(const Header& request, const Header& reply) {
    if (!reply.is_reply()) return fail(Kind::corrupt, "a request where a reply belongs");
    const auto same = reply.type == request.type && reply.volume == request.volume &&
                      reply.epoch == request.epoch && reply.generation == request.generation &&
                      reply.sequence == request.sequence && reply.offset == request.offset &&
                      reply.length == request.length;
    if (same) return {};
    return fail(Kind::corrupt, "a reply to what was not asked");
}

std::uint16_t status_of(Kind kind) {
    return static_cast<std::uint16_t>(static_cast<std::uint16_t>(kind) + 1);
}

Failure failure_of(const Header& reply, std::span<const std::byte> sentence) {
    const auto kind = static_cast<Kind>(reply.status - 1);
    const auto text = as_text(sentence.first(std::min(sentence.size(), longest_sentence)));
    return fail(kind, "{}", showable(text));
}

}  // namespace sheaf::replica

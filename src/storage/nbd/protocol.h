#pragma once

// Why: the numbers and structures of the NBD protocol, as doc/proto.md of NetworkBlockDevice/nbd
// names them. What we make of them is docs/formats/nbd.md.

#include <cstdint>

#include "base/big_endian.h"
#include "base/units.h"

namespace sheaf::nbd {

constexpr std::uint64_t greeting_magic = 0x4e42444d41474943;  // NBDMAGIC
constexpr std::uint64_t option_magic = 0x49484156454f5054;    // IHAVEOPT
constexpr std::uint64_t option_reply_magic = 0x3e889045565a9;
constexpr std::uint32_t request_magic = 0x25609513;
constexpr std::uint32_t simple_reply_magic = 0x67446698;
constexpr std::uint32_t structured_reply_magic = 0x668e33ef;

// Handshake flags, and the client's answer.
constexpr std::uint16_t flag_fixed_newstyle = 1 << 0;
constexpr std::uint16_t flag_no_zeroes = 1 << 1;

enum class OptionCode : std::uint32_t {
    export_name = 1,
    abort = 2,
    list = 3,
    info = 6,
    go = 7,
    structured_reply = 8,
    list_meta_context = 9,
    set_meta_context = 10,
};

enum class OptionReply : std::uint32_t {
    ack = 1,
    server = 2,
    info = 3,
    meta_context = 4,
    unsupported = 0x80000001,
    policy = 0x80000002,
    invalid = 0x80000003,
    unknown = 0x80000006,
    shutdown = 0x80000007,
    too_big = 0x80000009,
};

enum class Info : std::uint16_t { exported = 0, name = 1, description = 2, block_size = 3 };

// Transmission flags.
constexpr std::uint16_t transmit_has_flags = 1 << 0;
constexpr std::uint16_t transmit_read_only = 1 << 1;
constexpr std::uint16_t transmit_flush = 1 << 2;
constexpr std::uint16_t transmit_fua = 1 << 3;
constexpr std::uint16_t transmit_trim = 1 << 5;
constexpr std::uint16_t transmit_write_zeroes = 1 << 6;
constexpr std::uint16_t transmit_df = 1 << 7;
constexpr std::uint16_t transmit_multi_conn = 1 << 8;
constexpr std::uint16_t transmit_fast_zero = 1 << 11;

enum class Command : std::uint16_t {
    read = 0,
    write = 1,
    disconnect = 2,
    flush = 3,
    trim = 4,
    write_zeroes = 6,
    block_status = 7,
};

constexpr std::uint16_t command_fua = 1 << 0;
constexpr std::uint16_t command_no_hole = 1 << 1;
constexpr std::uint16_t command_df = 1 << 2;
constexpr std::uint16_t command_req_one = 1 << 3;
constexpr std::uint16_t command_fast_zero = 1 << 4;

constexpr std::uint16_t chunk_done = 1 << 0;
enum class Chunk : std::uint16_t {
    none = 0,
    offset_data = 1,
    offset_hole = 2,
    block_status = 5,
    error = 0x8001,
};

enum class WireError : std::uint32_t {
    none = 0,
    permission = 1,
    io = 5,
    memory = 12,
    invalid = 22,
    no_space = 28,
    overflow = 75,
    not_supported = 95,
    shutdown = 108,
};

constexpr std::uint32_t state_hole = 1 << 0;   // of base:allocation
constexpr std::uint32_t state_zero = 1 << 1;   // the same
constexpr std::uint32_t state_dirty = 1 << 0;  // of sheaf:dirty:

struct Greeting {
    BigEndian<std::uint64_t> magic = greeting_magic;
    BigEndian<std::uint64_t> option = option_magic;
    BigEndian<std::uint16_t> flags = flag_fixed_newstyle | flag_no_zeroes;
};

struct OptionHeader {
    BigEndian<std::uint64_t> magic = option_magic;
    BigEndian<std::uint32_t> code;
    BigEndian<std::uint32_t> length;
};

struct OptionReplyHeader {
    BigEndian<std::uint64_t> magic = option_reply_magic;
    BigEndian<std::uint32_t> code;
    BigEndian<std::uint32_t> type;
    BigEndian<std::uint32_t> length;
};

struct RequestHeader {
    BigEndian<std::uint32_t> magic = request_magic;
    BigEndian<std::uint16_t> flags;
    BigEndian<std::uint16_t> command;
    BigEndian<std::uint64_t> cookie;
    BigEndian<std::uint64_t> offset;
    BigEndian<std::uint32_t> length;
};

struct SimpleReplyHeader {
    BigEndian<std::uint32_t> magic = simple_reply_magic;
    BigEndian<std::uint32_t> error;
    BigEndian<std::uint64_t> cookie;
};

struct ChunkHeader {
    BigEndian<std::uint32_t> magic = structured_reply_magic;
    BigEndian<std::uint16_t> flags;
    BigEndian<std::uint16_t> type;
    BigEndian<std::uint64_t> cookie;
    BigEndian<std::uint32_t> length;
};

static_assert(sizeof(OptionReplyHeader) == 20 && sizeof(RequestHeader) == 28);

constexpr std::uint32_t most_payload = 32_MiB;    // of a read or a write
constexpr std::size_t longest_string = 4096;      // names and messages
constexpr std::uint32_t longest_option = 64_KiB;  // its data

}  // namespace sheaf::nbd

#include "storage/image/qcow2_header.h"

#include <array>
#include <string>

#include "base/big_endian.h"
#include "base/bytes.h"
#include "base/json_path.h"

namespace sheaf::image {

namespace {

constexpr std::size_t version_2_length = 72;
constexpr std::size_t version_3_length = 104;
constexpr std::size_t compression_at = 104;
constexpr std::size_t most_name = 1023;
constexpr unsigned least_cluster_bits = 9;
constexpr unsigned most_cluster_bits = 21;
constexpr unsigned least_extended_cluster_bits = 14;

// Incompatible features, by bit.
constexpr std::uint64_t dirty = 1 << 0;  // reference counts, which a reader has no use for
constexpr std::uint64_t marked_corrupt = 1 << 1;
constexpr std::uint64_t external_data = 1 << 2;
constexpr std::uint64_t compression_type = 1 << 3;
constexpr std::uint64_t extended_l2 = 1 << 4;
constexpr std::uint64_t known =
    dirty | marked_corrupt | external_data | compression_type | extended_l2;

constexpr std::uint32_t feature_names = 0x6803f857;
constexpr std::uint32_t external_data_name = 0x44415441;

// Numbers of the header by their place.
std::uint32_t word(std::span<const std::byte> head, std::size_t at) {
    return load_big<std::uint32_t>(head.subspan(at));
}
std::uint64_t number(std::span<const std::byte> head, std::size_t at) {
    return load_big<std::uint64_t>(head.subspan(at));
}

// The data of the first header extension of this type; empty where there is none.
std::span<const std::byte> extension(std::span<const std::byte> head, std::size_t header_length,
                                     std::uint32_t type) {
    auto rest = head.subspan(std::min<std::size_t>(header_length, head.size()));
    while (rest.size() >= 8) {
        const auto found = word(rest, 0);
        const auto length = std::size_t{word(rest, 4)};
        if (found == 0 || length > rest.size() - 8) break;
        if (found == type) return rest.subspan(8, length);
        rest = rest.subspan(std::min(rest.size(), 8 + (length + 7) / 8 * 8));
    }
    return {};
}

// What the image itself calls an incompatible feature, for a person.
std::string feature_name(std::span<const std::byte> table, unsigned bit) {
    constexpr std::size_t entry = 48;
    for (; table.size() >= entry; table = table.subspan(entry)) {
        if (table[0] != std::byte{0} || table[1] != std::byte(bit)) continue;
        const auto name = as_text(table.subspan(2, entry - 2));
        return fmt::format(" ({})", json::in_quotes(name.substr(0, name.find('\0'))));
    }
    return {};
}

Result<void> check_features(std::span<const std::byte> head, std::uint64_t features,
                            std::size_t header_length) {
    if (const auto unknown = features & ~known) {
        const auto bit = static_cast<unsigned>(std::countr_zero(unknown));
        const auto table = extension(head, header_length, feature_names);
        return fail(Kind::unsupported, "needs the unknown qcow2 feature {}{}", bit,
                    feature_name(table, bit));
    }
    if (features & external_data) {
        const auto name = as_text(extension(head, header_length, external_data_name));
        return fail(Kind::unsupported,
                    "keeps its data in another file, {}; make it one file with qemu-img convert",
                    json::in_quotes(name));
    }
    if (features & marked_corrupt)
        return fail(Kind::corrupt, "is marked as corrupt; look at it with qemu-img check");
    return {};
}

Result<void> check_backing(std::span<const std::byte> head) {
    const auto at = number(head, 8);
    const auto length = std::size_t{word(head, 16)};
    if (at == 0) return {};
    if (length > most_name || at > head.size() || length > head.size() - at)
        return fail(Kind::corrupt, "has the name of a backing file outside its first cluster");
    return fail(Kind::unsupported,
                "has the backing file {}; make it one file with qemu-img convert",
                json::in_quotes(as_text(head.subspan(at, length))));
}

Result<void> check_encryption(std::uint32_t method) {
    if (method == 0) return {};
    return fail(Kind::unsupported, "is encrypted ({}); decrypt it with qemu-img convert",
                method == 1   ? "AES"
                : method == 2 ? "LUKS"
                              : "an unknown method");
}

// Whether there is an L1 table for all of the disk, and all of it in the file.
Result<void> check_tables(const Qcow2Header& header, std::uint64_t file_size) {
    const auto coverage = header.l2_coverage();
    const auto needed = header.size / coverage + (header.size % coverage != 0 ? 1 : 0);
    const auto bytes = std::uint64_t{header.l1_entries} * 8;
    if (needed > header.l1_entries)
        return fail(Kind::corrupt, "has an L1 table of {} entries for a disk that needs {}",
                    header.l1_entries, needed);
    if (bytes > most_l1_bytes)
        return fail(Kind::unsupported, "has an L1 table of {} bytes, at most {} are supported",
                    bytes, most_l1_bytes);
    if (header.l1_offset % header.cluster_size() != 0)
        return fail(Kind::corrupt, "has an L1 table at {}, which begins no cluster",
                    header.l1_offset);
    if (header.l1_offset > file_size || bytes > file_size - header.l1_offset)
        return fail(Kind::corrupt, "has an L1 table at {} that reaches beyond the file's end at {}",
                    header.l1_offset, file_size);
    return {};
}

// What version 3 added.
Result<void> parse_version_3(std::span<const std::byte> head, Qcow2Header& header) {
    if (head.size() < version_3_length) return fail(Kind::corrupt, "ends within its header");
    const auto features = number(head, 72);
    const auto length = std::size_t{word(head, 100)};
    if (length < version_3_length || length % 8 != 0 || length > header.cluster_size())
        return fail(Kind::corrupt, "has a header of {} bytes", length);
    TRY(check_features(head, features, length));
    header.extended_entries = (features & extended_l2) != 0;
    if (header.extended_entries && header.cluster_bits < least_extended_cluster_bits)
        return fail(Kind::corrupt, "has clusters of {} bytes, too small for extended entries",
                    header.cluster_size());
    auto type = 0u;
    if (length > compression_at && head.size() > compression_at)
        type = std::to_integer<unsigned>(head[compression_at]);
    if (((features & compression_type) != 0) != (type != 0))
        return fail(Kind::corrupt, "contradicts itself about how it is compressed");
    if (type > 1) return fail(Kind::unsupported, "is compressed by the unknown method {}", type);
    header.compression = type == 1 ? Compression::zstd : Compression::zlib;
    return {};
}

}  // namespace

Result<Qcow2Header> parse_qcow2_header(std::span<const std::byte> head, std::uint64_t file_size) {
    if (!as_text(head).starts_with(qcow2_magic)) return fail(Kind::invalid, "is no qcow2 image");
    if (head.size() < version_2_length) return fail(Kind::corrupt, "ends within its header");
    Qcow2Header header;
    header.version = word(head, 4);
    if (header.version != 2 && header.version != 3)
        return fail(Kind::unsupported, "is a qcow image of version {}; 2 and 3 are supported",
                    header.version);
    header.cluster_bits = word(head, 20);
    if (header.cluster_bits < least_cluster_bits || header.cluster_bits > most_cluster_bits)
        return fail(Kind::unsupported, "has clusters of 2^{} bytes; 2^{} to 2^{} are supported",
                    header.cluster_bits, least_cluster_bits, most_cluster_bits);
    header.size = number(head, 24);
    header.l1_entries = word(head, 36);
    header.l1_offset = number(head, 40);
    TRY(check_backing(head));
    TRY(check_encryption(word(head, 32)));
    if (header.version == 3) TRY(parse_version_3(head, header));
    if (header.size % 512 != 0)
        return fail(Kind::unsupported, "has a disk of {} bytes, which are no whole sectors",
                    header.size);
    TRY(check_tables(header, file_size));
    return header;
}

}  // namespace sheaf::image

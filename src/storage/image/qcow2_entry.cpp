#include "storage/image/qcow2_entry.h"

#include <algorithm>

namespace sheaf::image {

namespace {

constexpr std::uint64_t offset_mask = 0x00ff'ffff'ffff'fe00;  // bits 9 to 55
constexpr std::uint64_t compressed_bit = std::uint64_t{1} << 62;
constexpr std::uint64_t zero_bit = 1;
constexpr std::uint64_t sector = 512;
constexpr unsigned subclusters = 32;

Result<void> check_cluster(const Qcow2Header& header, std::uint64_t host, std::uint64_t file_size) {
    if (host % header.cluster_size() != 0)
        return fail(Kind::corrupt, "has data at {}, which begins no cluster", host);
    if (host >= file_size)
        return fail(Kind::corrupt, "has data at {}, beyond the file's end at {}: it was cut short",
                    host, file_size);
    return {};
}

Result<Stretch> compressed_stretch(const Qcow2Header& header, std::uint64_t descriptor,
                                   std::uint64_t within, std::uint64_t file_size) {
    const auto size_bits = header.cluster_bits - 8;
    const auto offset_bits = 62 - size_bits;
    const auto host = descriptor & ((std::uint64_t{1} << offset_bits) - 1);
    const auto sectors = ((descriptor >> offset_bits) & ((std::uint64_t{1} << size_bits) - 1)) + 1;
    if (host >= file_size)
        return fail(Kind::corrupt, "has data at {}, beyond the file's end at {}: it was cut short",
                    host, file_size);
    const auto length = std::min(sectors * sector - host % sector, file_size - host);
    return Stretch{Stretch::Kind::compressed, header.cluster_size() - within, host, length};
}

// What subcluster `number` holds.
Result<Stretch::Kind> subcluster_kind(const L2Entry& entry, unsigned number) {
    const auto allocated = (entry.bitmap >> number & 1) != 0;
    const auto zero = (entry.bitmap >> (subclusters + number) & 1) != 0;
    const auto host = entry.descriptor & offset_mask;
    if (allocated && (zero || host == 0))
        return fail(Kind::corrupt, "has a subcluster that cannot be: entry {:#x}, bitmap {:#x}",
                    entry.descriptor, entry.bitmap);
    if (allocated) return Stretch::Kind::data;
    return zero ? Stretch::Kind::zero : Stretch::Kind::hole;
}

Result<Stretch> extended_stretch(const Qcow2Header& header, const L2Entry& entry,
                                 std::uint64_t within, std::uint64_t file_size) {
    const auto size = header.cluster_size() / subclusters;
    const auto first = static_cast<unsigned>(within / size);
    const auto kind = TRY(subcluster_kind(entry, first));
    auto end = first + 1;
    for (; end < subclusters; ++end) {
        const auto next = TRY(subcluster_kind(entry, end));
        if (next != kind) break;
    }
    const auto host = entry.descriptor & offset_mask;
    if (kind == Stretch::Kind::data) TRY(check_cluster(header, host, file_size));
    return Stretch{kind, end * size - within, host + within, 0};
}

}  // namespace

Result<std::uint64_t> l2_table_of(const Qcow2Header& header, std::uint64_t l1_entry,
                                  std::uint64_t file_size) {
    const auto table = l1_entry & offset_mask;
    if (table == 0) return table;
    if (table % header.cluster_size() != 0)
        return fail(Kind::corrupt, "has an L2 table at {}, which begins no cluster", table);
    if (table > file_size || header.cluster_size() > file_size - table)
        return fail(Kind::corrupt,
                    "has an L2 table at {}, beyond the file's end at {}: it was cut short", table,
                    file_size);
    return table;
}

Result<Stretch> stretch_of(const Qcow2Header& header, const L2Entry& entry, std::uint64_t within,
                           std::uint64_t file_size) {
    if (entry.descriptor & compressed_bit)
        return compressed_stretch(header, entry.descriptor, within, file_size);
    if (header.extended_entries) return extended_stretch(header, entry, within, file_size);
    const auto host = entry.descriptor & offset_mask;
    const auto length = header.cluster_size() - within;
    if (entry.descriptor & zero_bit) {
        if (header.version < 3)
            return fail(Kind::corrupt, "has a cluster of zeros, which version 2 does not know");
        return Stretch{Stretch::Kind::zero, length, 0, 0};
    }
    if (host == 0) return Stretch{Stretch::Kind::hole, length, 0, 0};
    TRY(check_cluster(header, host, file_size));
    return Stretch{Stretch::Kind::data, length, host + within, 0};
}

}  // namespace sheaf::image

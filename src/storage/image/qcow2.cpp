#include "storage/image/qcow2.h"

#include <algorithm>

#include "base/big_endian.h"
#include "base/units.h"
#include "storage/vectors.h"

namespace sheaf::image {

namespace {

constexpr std::uint64_t most_slice = 64_KiB;
constexpr std::size_t l1_places = 8;
constexpr std::size_t l2_places = 64;
// After so many steps extents() gives what it has: tables can be large and say little.
constexpr unsigned most_steps = 4096;

storage::Extent::Kind kind_of(Stretch::Kind kind) {
    switch (kind) {
        case Stretch::Kind::hole: return storage::Extent::Kind::hole;
        case Stretch::Kind::zero: return storage::Extent::Kind::zero;
        case Stretch::Kind::data:
        case Stretch::Kind::compressed: break;
    }
    return storage::Extent::Kind::data;
}

L2Entry entry_at(std::span<const std::byte> entries, bool extended) {
    L2Entry entry{.descriptor = load_big<std::uint64_t>(entries)};
    if (extended) entry.bitmap = load_big<std::uint64_t>(entries.subspan(8));
    return entry;
}

void fill_with_zeros(std::span<const iovec> into) {
    for (const auto& piece : into)
        std::ranges::fill_n(static_cast<std::byte*>(piece.iov_base),
                            static_cast<std::ptrdiff_t>(piece.iov_len), std::byte{0});
}

}  // namespace

io::Task<std::unique_ptr<Qcow2>> Qcow2::open(io::Loop& loop, Fd fd, std::uint64_t file_size) {
    auto file = co_await volume::File::create(loop, std::move(fd));
    std::vector<std::byte> head(std::min<std::uint64_t>(qcow2_head_size, file_size));
    co_await file.read(head, 0);
    const auto header = co_await parse_qcow2_header(head, file_size);
    auto decompressor = co_await Decompressor::create(header.compression);
    co_return std::make_unique<Qcow2>(std::move(file), file_size, header, std::move(decompressor));
}

Qcow2::Qcow2(volume::File file, std::uint64_t file_size, const Qcow2Header& header,
             std::unique_ptr<Decompressor> decompressor)
    : file_(std::move(file)),
      file_size_(file_size),
      header_(header),
      decompressor_(std::move(decompressor)),
      l1_(file_, file_size, std::min(most_slice, header.cluster_size()), l1_places),
      l2_(file_, file_size, std::min(most_slice, header.cluster_size()), l2_places) {}

storage::Geometry Qcow2::geometry() const {
    return {.size = header_.size,
            .preferred_block_size = static_cast<std::uint32_t>(header_.cluster_size()),
            .read_only = true};
}

Result<void> Qcow2::check_range(std::uint64_t offset, std::uint64_t length) const {
    const auto end = checked_add(offset, length);
    if ((offset | length) % 512 != 0 || !end || *end > header_.size)
        return fail(Kind::invalid, "{} bytes at {} are not on a disk of {} bytes", length, offset,
                    header_.size);
    return {};
}

// What part of one L2 table, from the entry of the byte `within` its cluster, says of the next
// `length` bytes.
Result<Stretch> Qcow2::in_table(std::span<const std::byte> entries, std::uint64_t within,
                                std::uint64_t length) const {
    Stretch found;
    while (found.length < length && entries.size() >= header_.entry_size()) {
        const auto entry = entry_at(entries, header_.extended_entries);
        const auto next = TRY(stretch_of(header_, entry, within, file_size_));
        if (found.length == 0) {
            found = next;
        } else if (found.goes_on_with(next)) {
            found.length += next.length;
        } else {
            break;
        }
        within += next.length;
        if (within < header_.cluster_size()) continue;
        within = 0;
        entries = entries.subspan(header_.entry_size());
    }
    found.length = std::min(found.length, length);
    return found;
}

// What the disk has from `offset` on, for at least one byte and at most `length`.
io::Task<Stretch> Qcow2::stretch_at(std::uint64_t offset, std::uint64_t length) {
    const auto coverage = header_.l2_coverage();
    const auto within_table = offset % coverage;
    const auto l1 = co_await l1_.from(header_.l1_offset + offset / coverage * 8);
    const auto table = co_await l2_table_of(header_, load_big<std::uint64_t>(l1), file_size_);
    if (table != 0) {
        const auto number = within_table / header_.cluster_size();
        const auto entries = co_await l2_.from(table + number * header_.entry_size());
        const auto found =
            co_await in_table(entries, within_table % header_.cluster_size(), length);
        co_return found;
    }
    Stretch hole{.kind = Stretch::Kind::hole, .length = coverage - within_table};
    for (auto rest = l1.subspan(8); rest.size() >= 8 && hole.length < length;
         rest = rest.subspan(8)) {
        const auto next = co_await l2_table_of(header_, load_big<std::uint64_t>(rest), file_size_);
        if (next != 0) break;
        hole.length += coverage;
    }
    hole.length = std::min(hole.length, length);
    co_return hole;
}

io::Task<void> Qcow2::read(std::uint64_t offset, std::span<const iovec> vectors) {
    const auto length = storage::length_of(vectors);
    co_await check_range(offset, length);
    for (std::uint64_t done = 0; done < length;) {
        const auto stretch = co_await stretch_at(offset + done, length - done);
        const auto into = storage::slice(vectors, done, stretch.length);
        co_await read_stretch(stretch, offset + done, into);
        done += stretch.length;
    }
}

io::Task<void> Qcow2::read_stretch(const Stretch& stretch, std::uint64_t offset,
                                   std::span<const iovec> into) {
    switch (stretch.kind) {
        case Stretch::Kind::hole:
        case Stretch::Kind::zero: fill_with_zeros(into); break;
        case Stretch::Kind::data: co_await read_data(stretch.host, into); break;
        case Stretch::Kind::compressed:
            co_await expand(stretch, offset % header_.cluster_size(), into);
            break;
    }
}

// The file's last cluster may be there in part: what nobody wrote yet is zeros.
io::Task<void> Qcow2::read_data(std::uint64_t host, std::span<const iovec> into) {
    const auto length = storage::length_of(into);
    const auto there = std::min(length, file_size_ - std::min(host, file_size_));
    const auto whole = storage::slice(into, 0, there);
    if (there > 0) co_await file_.read(whole, host);
    fill_with_zeros(storage::slice(into, there, length - there));
}

io::Task<void> Qcow2::expand(const Stretch& stretch, std::uint64_t within,
                             std::span<const iovec> into) {
    std::vector<std::byte> compressed(stretch.host_length);
    co_await file_.read(compressed, stretch.host);
    // Expanded as far as it is needed, straight where that is possible.
    const auto needed = within + storage::length_of(into);
    if (within == 0 && into.size() == 1) {
        const auto whole = std::span{static_cast<std::byte*>(into[0].iov_base), needed};
        co_await decompressor_->expand(compressed, whole);
        co_return;
    }
    std::vector<std::byte> expanded(needed);
    co_await decompressor_->expand(compressed, expanded);
    storage::VectorCursor cursor{into};
    cursor.copy_in(std::span{expanded}.subspan(within));
}

io::Task<std::vector<storage::Extent>> Qcow2::extents(std::uint64_t offset, std::uint64_t length,
                                                      std::size_t most) {
    co_await check_range(offset, length);
    std::vector<storage::Extent> found;
    std::uint64_t done = 0;
    for (unsigned steps = 0; done < length && steps < most_steps; ++steps) {
        const auto stretch = co_await stretch_at(offset + done, length - done);
        const auto kind = kind_of(stretch.kind);
        if (found.empty() || found.back().kind != kind) {
            if (found.size() == most) break;
            found.push_back({.kind = kind});
        }
        found.back().length += stretch.length;
        done += stretch.length;
    }
    co_return found;
}

io::Task<void> Qcow2::write(std::uint64_t, std::span<const iovec>) {
    co_await fail(Kind::denied, "the image is read-only");
}

io::Task<void> Qcow2::flush() {
    co_return;
}

io::Task<void> Qcow2::discard(std::uint64_t, std::uint64_t) {
    co_await fail(Kind::denied, "the image is read-only");
}

io::Task<void> Qcow2::zero(std::uint64_t, std::uint64_t, storage::Space) {
    co_await fail(Kind::denied, "the image is read-only");
}

}  // namespace sheaf::image

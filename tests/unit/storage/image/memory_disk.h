#pragma once

// Why: copies are tested between disks that are looked into, and that fail when told to.

#include <sys/uio.h>

#include <cstring>
#include <string>

#include "storage/block.h"
#include "storage/extents.h"
#include "storage/vectors.h"

namespace sheaf::image {

// A disk in memory; it says of each 4 KiB whether it is data by looking for bytes that are not
// zero, or, where it is told to, that all is data.
class MemoryDisk final : public storage::Block, public storage::Extents {
  public:
    explicit MemoryDisk(std::uint64_t size) : content(size, '\0') {}

    std::string content;
    bool all_data = false;
    std::uint32_t preferred = 4096;
    std::uint64_t fails_at = ~std::uint64_t{0};  // reads and writes of this byte fail
    unsigned reads = 0;
    unsigned writes = 0;
    std::uint64_t written = 0;
    std::size_t most_extents = 1000;  // given at a time

    storage::Geometry geometry() const override {
        return {.size = content.size(), .preferred_block_size = preferred};
    }
    io::Task<void> read(std::uint64_t offset, std::span<const iovec> vectors) override {
        ++reads;
        co_await check(offset, storage::length_of(vectors));
        storage::VectorCursor cursor{vectors};
        const auto part = std::string_view{content}.substr(offset, storage::length_of(vectors));
        cursor.copy_in(std::as_bytes(std::span{part}));
    }
    io::Task<void> write(std::uint64_t offset, std::span<const iovec> vectors) override {
        ++writes;
        const auto length = storage::length_of(vectors);
        co_await check(offset, length);
        written += length;
        storage::VectorCursor cursor{vectors};
        cursor.copy_out(std::as_writable_bytes(std::span{content}.subspan(offset, length)));
    }
    io::Task<void> flush() override { co_return; }
    io::Task<void> discard(std::uint64_t, std::uint64_t) override { co_return; }
    io::Task<void> zero(std::uint64_t, std::uint64_t, storage::Space) override { co_return; }

    io::Task<std::vector<storage::Extent>> extents(std::uint64_t offset, std::uint64_t length,
                                                   std::size_t most) override {
        std::vector<storage::Extent> found;
        const auto end = offset + length;
        while (offset < end) {
            const auto next = std::min(end, (offset / 4096 + 1) * 4096);
            const auto kind = kind_of(offset, next - offset);
            if (found.empty() || found.back().kind != kind) {
                if (found.size() == std::min(most, most_extents)) break;
                found.push_back({.kind = kind});
            }
            found.back().length += next - offset;
            offset = next;
        }
        co_return found;
    }

  private:
    storage::Extent::Kind kind_of(std::uint64_t offset, std::uint64_t length) const {
        const auto part = std::string_view{content}.substr(offset, length);
        if (all_data || part.find_first_not_of('\0') != std::string_view::npos)
            return storage::Extent::Kind::data;
        return storage::Extent::Kind::hole;
    }
    Result<void> check(std::uint64_t offset, std::uint64_t length) const {
        if (offset + length > content.size()) return fail(Kind::invalid, "beyond the end");
        if (offset <= fails_at && fails_at < offset + length) return fail(Kind::io, "told to fail");
        return {};
    }
};

}  // namespace sheaf::image

#include "storage/image/file_extents.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/units.h"

namespace sheaf::image {

namespace {

constexpr std::uint64_t sector = 512;
using Kind = storage::Extent::Kind;

// Where the next data or hole begins at or behind `offset`; none behind the last of them, and all
// is data for a file system that does not know holes.
Result<std::optional<std::uint64_t>> seek(const Fd& file, std::uint64_t offset, int what) {
    const auto found = ::lseek(file.get(), static_cast<off_t>(offset), what);
    if (found >= 0) return static_cast<std::uint64_t>(found);
    if (errno == ENXIO) return std::nullopt;
    if (errno != EINVAL) return fail_os(errno, "looking for holes");
    if (what == SEEK_DATA) return offset;
    return std::nullopt;
}

}  // namespace

Result<storage::Extent> FileExtents::extent_at(std::uint64_t offset, std::uint64_t end) const {
    const auto data = TRY(seek(file_, offset, SEEK_DATA));
    const auto begin = data ? align_down(*data, sector) : end;
    if (begin > offset) return storage::Extent{std::min(begin, end) - offset, Kind::hole};
    const auto hole = TRY(seek(file_, offset, SEEK_HOLE));
    const auto last = hole ? align_up(std::max(*hole, offset + 1), sector) : end;
    return storage::Extent{std::min(last, end) - offset, Kind::data};
}

io::Task<std::vector<storage::Extent>> FileExtents::extents(std::uint64_t offset,
                                                            std::uint64_t length,
                                                            std::size_t most) {
    const auto end = checked_add(offset, length);
    if (!end || *end > size_)
        co_await fail(sheaf::Kind::invalid, "{} bytes at {} reach beyond the end at {}", length,
                      offset, size_);
    std::vector<storage::Extent> found;
    while (offset < *end) {
        const auto next = co_await extent_at(offset, *end);
        // Only a file that is being changed has two holes in a row.
        if (!found.empty() && found.back().kind == next.kind) {
            found.back().length += next.length;
        } else {
            if (found.size() == most) break;
            found.push_back(next);
        }
        offset += next.length;
    }
    co_return found;
}

}  // namespace sheaf::image

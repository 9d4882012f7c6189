#include "storage/image/table_cache.h"

#include <algorithm>
#include <utility>

namespace sheaf::image {

io::Task<std::span<const std::byte>> TableCache::from(std::uint64_t offset) {
    const auto begin = offset / slice_ * slice_;
    auto& place = places_[begin / slice_ % places_.size()];
    if (place.begin != begin) {
        // Read aside: another task may be filling the same place meanwhile.
        std::vector<std::byte> bytes(std::min(slice_, file_size_ - begin));
        co_await file_.read(bytes, begin);
        place.bytes = std::move(bytes);
        place.begin = begin;
    }
    co_return std::span<const std::byte>{place.bytes}.subspan(offset - begin);
}

}  // namespace sheaf::image

#include "io/uring_memory.h"

#include <liburing.h>
#include <sys/uio.h>

#include <algorithm>

namespace sheaf::io {

// Linux 5.19 has tables with empty places.
bool UringMemory::make_table() {
    if (::io_uring_register_buffers_sparse(&ring_, most) != 0) return false;
    for (auto place = most; place > 0; --place) free_.push_back(place - 1);
    return true;
}

bool UringMemory::set(unsigned place, std::span<std::byte> memory) {
    const iovec piece{memory.data(), memory.size()};
    const __u64 no_tag = 0;
    return ::io_uring_register_buffers_update_tag(&ring_, place, &piece, &no_tag, 1) == 1;
}

std::optional<unsigned> UringMemory::add(std::span<std::byte> memory) {
    if (!usable_) usable_ = make_table();
    if (!*usable_ || free_.empty() || !set(free_.back(), memory)) return std::nullopt;
    const auto place = free_.back();
    free_.pop_back();
    entries_.push_back({memory.data(), memory.data() + memory.size(), place});
    return place;
}

void UringMemory::remove(unsigned place) {
    std::erase_if(entries_, [place](const Entry& entry) { return entry.place == place; });
    if (set(place, {})) free_.push_back(place);
}

int UringMemory::place_of(const void* bytes, std::size_t length) const {
    const auto* begin = static_cast<const std::byte*>(bytes);
    const auto found = std::ranges::find_if(entries_, [begin, length](const Entry& entry) {
        return begin >= entry.begin && begin + length <= entry.end;
    });
    return found == entries_.end() ? -1 : static_cast<int>(found->place);
}

}  // namespace sheaf::io

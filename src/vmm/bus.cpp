#include "vmm/bus.h"

#include <algorithm>
#include <mutex>

namespace sheaf::vmm {

Result<void> Bus::add(std::uint64_t start, std::uint64_t length, BusHandler& handler) {
    if (length == 0 || start + (length - 1) < start)
        return fail(Kind::invalid, "{}: bad range {:#x}+{:#x}", handler.name(), start, length);
    const auto lock = std::unique_lock{mutex_};
    const auto after = std::ranges::upper_bound(entries_, start, {}, &Entry::start);
    const bool hits_next = after != entries_.end() && after->start - start < length;
    const bool hits_previous =
        after != entries_.begin() && start - std::prev(after)->start < std::prev(after)->length;
    if (hits_next || hits_previous) {
        const auto& other = hits_next ? *after : *std::prev(after);
        return fail(Kind::exists, "{}: {:#x}+{:#x} overlaps {}", handler.name(), start, length,
                    other.handler->name());
    }
    entries_.insert(after, {start, length, &handler});
    return {};
}

void Bus::remove(std::uint64_t start, const BusHandler& handler) {
    const auto lock = std::unique_lock{mutex_};
    std::erase_if(entries_, [&](const Entry& entry) {
        return entry.start == start && entry.handler == &handler;
    });
}

Bus::Hit Bus::find(std::uint64_t address, std::size_t length) const {
    const auto lock = std::shared_lock{mutex_};
    const auto after = std::ranges::upper_bound(entries_, address, {}, &Entry::start);
    if (after == entries_.begin()) return {};
    const auto& entry = *std::prev(after);
    const auto offset = address - entry.start;
    if (offset >= entry.length || length > entry.length - offset) return {};
    return {entry.handler, offset};
}

bool Bus::read(std::uint64_t address, std::span<std::byte> data) const {
    const auto hit = find(address, data.size());
    if (!hit.handler) {
        std::ranges::fill(data, std::byte{0xff});
        return false;
    }
    hit.handler->read(hit.offset, data);
    return true;
}

bool Bus::write(std::uint64_t address, std::span<const std::byte> data) const {
    const auto hit = find(address, data.size());
    if (hit.handler) hit.handler->write(hit.offset, data);
    return hit.handler != nullptr;
}

}  // namespace sheaf::vmm

#include "storage/volume/custody.h"

#include "storage/volume/volume.h"

namespace sheaf::volume {

Stamp Custody::stamp() const {
    const auto& superblock = volume_.journal_->superblock();
    return {superblock.epoch, superblock.generation};
}

// No checkpoint and no change of the layers is under way meanwhile: they begin with a superblock
// that they commit later.
io::Task<void> Custody::store(Stamp stamp) {
    const auto quiet = co_await volume_.stable_.quiet();
    co_await volume_.stable_.write_superblock(state_in_use, stamp);
}

std::vector<Custody::Range> Custody::marked() const {
    std::vector<Range> ranges;
    const auto size = volume_.journal_->superblock().size;
    const auto& intents = *volume_.intents_;
    for (auto region = intents.next_marked(0); region < intents.regions();
         region = intents.next_marked(region + 1)) {
        const auto offset = region * region_size;
        if (offset >= size) break;
        const auto length = std::min(region_size, size - offset);
        if (!ranges.empty() && ranges.back().offset + ranges.back().length == offset) {
            ranges.back().length += length;
        } else {
            ranges.push_back({offset, length});
        }
    }
    return ranges;
}

bool Custody::holds(std::uint64_t region) const {
    if (volume_.options_.role == Role::whole) return false;
    if (settled_before_ == io::TimePoint{}) return true;
    const auto written = volume_.last_write_.find(region);
    return written != volume_.last_write_.end() && written->second >= settled_before_;
}

void Custody::opened(const Superblock& found, std::uint64_t opening) {
    const auto unbroken = found.state != state_in_use && found.unbroken_since != 0;
    incarnation_ = unbroken ? found.unbroken_since : opening;
}

}  // namespace sheaf::volume

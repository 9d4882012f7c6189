// What an engine tells of its copies.

#include <algorithm>

#include "storage/replica/replicated_volume.h"

namespace sheaf::replica {

namespace {

CopyMode mode_of(const EngineMember& member) {
    if (member.counts) return member.way.open() ? CopyMode::RW : CopyMode::ERR;
    return member.fed ? CopyMode::WO : CopyMode::ERR;
}

}  // namespace

Attachment ReplicatedVolume::report() const {
    const auto& record = record_.now();
    Attachment told;
    told.node = record.engine;
    told.epoch = record.epoch;
    told.stalled = state_ != State::serving;
    told.healed = counters_.healed;
    for (const auto& member : members_) {
        CopyReport copy;
        copy.node = member.way.node();
        copy.mode = mode_of(member);
        const auto joining = copy.mode == CopyMode::WO;
        copy.lag = lag_of(member);
        copy.copied = joining ? member.copied : 0;
        copy.to_copy = joining ? member.to_copy : 0;
        if (copy.mode != CopyMode::RW) copy.error = member.error;
        told.copies.push_back(std::move(copy));
    }
    return told;
}

// All of it, where another engine had removed it.
std::uint64_t ReplicatedVolume::lag_of(const Member& member) const {
    if (member.counts) return 0;
    const auto size = record_.now().size;
    if (!member.followed) return size - std::min(size, member.fed ? member.copied : 0);
    std::uint64_t regions = 0;
    for (auto region = member.missed.next(0); region != volume::RegionSet::end();
         region = member.missed.next(region + 1))
        ++regions;
    return std::min(size, regions * volume::region_size);
}

}  // namespace sheaf::replica

// Reads: of any copy that counts, and past what is damaged.

#include <algorithm>

#include "base/units.h"
#include "storage/replica/replicated_volume.h"
#include "storage/replica/wire.h"
#include "storage/vectors.h"

namespace sheaf::replica {

namespace {

// Declared before what is given back first.
class WakeAtEnd {
  public:
    explicit WakeAtEnd(io::Waiters& waiters) : waiters_(waiters) {}
    WakeAtEnd(const WakeAtEnd&) = delete;
    WakeAtEnd& operator=(const WakeAtEnd&) = delete;
    ~WakeAtEnd() { waiters_.wake(); }

  private:
    io::Waiters& waiters_;
};

}  // namespace

io::Task<void> ReplicatedVolume::read(std::uint64_t offset, std::span<const iovec> vectors) {
    const auto length = storage::length_of(vectors);
    co_await check(offset, length);
    storage::VectorCursor cursor{vectors};
    const Range range{offset, length};
    if (length == 0) co_return;
    const WakeAtEnd wake{request_over_};
    const auto held = co_await lock(range, volume::RangeLock::Mode::shared);
    const auto end = align_up(offset + length, unit);
    for (auto at = align_down(offset, unit); at < end;) {
        const auto part = std::min<std::uint64_t>(most_payload, end - at);
        storage::AlignedBuffer buffer{part};
        if (buffer.bytes().empty()) co_await fail(Kind::exhausted, "no memory for a read");
        co_await read_blocks(at, buffer.bytes());
        const auto from = std::max(offset, at);
        const auto to = std::min(offset + length, at + part);
        cursor.copy_in(buffer.bytes().subspan(from - at, to - from));
        at += part;
    }
}

// The copy of this host, else the one with least to do. While the engine stalls one that lost
// something may be open, to be made like the others.
ReplicatedVolume::Member* ReplicatedVolume::reader(const std::vector<Member*>& tried) {
    Member* best = nullptr;
    for (auto& member : members_) {
        if (!member.counts || !member.way.open() ||
            std::ranges::find(tried, &member) != tried.end())
            continue;
        if (state_ != State::serving && !unbroken(member)) continue;
        const auto here = member.way.node() == options_.node;
        if (!best || here ||
            (best->way.node() != options_.node && member.way.in_flight() < best->way.in_flight()))
            best = &member;
    }
    return best;
}

// Nobody writes there while it is read, so what another copy has is what this one is to have. One
// that cannot be written either stays as it is: its next write tells.
io::Task<void> ReplicatedVolume::heal(std::vector<Member*> damaged, std::uint64_t offset,
                                      std::span<std::byte> content) {
    for (auto* member : damaged) {
        if (!member->counts || !member->way.open()) continue;
        auto writing = member->way.copy().write(stamp(), offset, content);
        const auto written = co_await member->way.ask(std::move(writing)).result();
        if (written) ++counters_.healed;
    }
}

io::Task<void> ReplicatedVolume::read_blocks(std::uint64_t offset, std::span<std::byte> into) {
    while (true) {
        co_await serve();
        auto read = co_await read_any(offset, into).result();
        if (!ended_ && (read || state_ == State::serving)) co_return co_await std::move(read);
    }
}

// Whether the engine serves or stalls. A block that is damaged on one copy is read from another,
// and put right.
io::Task<void> ReplicatedVolume::read_any(std::uint64_t offset, std::span<std::byte> into) {
    std::vector<Member*> tried;
    auto last = Result<void>{fail(Kind::unavailable, "no copy can be read")};
    while (auto* member = ended_ ? nullptr : reader(tried)) {
        auto asking = member->way.copy().read(stamp(), offset, into);
        last = co_await member->way.ask(std::move(asking)).result();
        if (last) co_return co_await heal(std::move(tried), offset, into);
        const auto kind = last.error().kind();
        if (kind == Kind::corrupt || kind == Kind::io) {
            tried.push_back(member);
        } else {
            lose(*member, last.error());
        }
    }
    co_await std::move(last);
}

}  // namespace sheaf::replica

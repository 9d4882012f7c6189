// Members that were removed are taken in again: fed with all that is written from now on, given
// what they miss, compared, and only then counted.

#include <algorithm>

#include "storage/replica/replicated_volume.h"
#include "storage/replica/wire.h"

namespace sheaf::replica {

namespace {

constexpr volume::RangeLock::Range record_itself{0, 1, volume::RangeLock::Mode::exclusive};
constexpr std::uint64_t most_at_once = 256 << 10;  // while requests for it wait

}  // namespace

// A piece of the volume in which nothing changes while this exists: its blocks are locked, or the
// engine stalls, and goes on only after this. Whoever waits for blocks sees that it is gone.
class ReplicatedVolume::Still {
  public:
    explicit Still(ReplicatedVolume& volume) : volume_(&volume) { ++volume.still_; }
    Still(Still&& other) noexcept
        : volume_(std::exchange(other.volume_, nullptr)), held_(std::move(other.held_)) {
        other.held_.reset();
    }
    Still& operator=(Still&&) = delete;
    ~Still() {
        if (!volume_) return;
        held_.reset();
        --volume_->still_;
        volume_->request_over_.wake();
    }
    std::optional<volume::RangeLock::Held>& held() { return held_; }

  private:
    ReplicatedVolume* volume_;
    std::optional<volume::RangeLock::Held> held_;
};

// Requests keep their blocks locked while the engine stalls, perhaps until this rebuild is done: so
// then it does not wait for them.
io::Task<ReplicatedVolume::Still> ReplicatedVolume::still(Range piece) {
    Still still{*this};
    if (state_ == State::serving) {
        io::TaskGroup locking;
        locking_ = &locking;
        locking.start(lock_into(piece, still.held()));
        const auto joined = co_await locking.join().result();
        locking_ = nullptr;
        co_await joined;
    }
    while (!still.held() && attempts_ > 0) co_await attempt_over_.wait();
    if (ended_) co_await Failure{Error{*ended_}};
    co_return still;
}

io::Task<void> ReplicatedVolume::lock_into(Range piece,
                                           std::optional<volume::RangeLock::Held>& into) {
    into.emplace(co_await lock(piece, volume::RangeLock::Mode::exclusive));
}

// Also while the engine stalls: what it waits for may be that a copy is whole again.
io::Task<void> ReplicatedVolume::restore() {
    while (!ended_) {
        co_await loop_.sleep(options_.restore);
        for (auto& member : members_) {
            if (member.counts || ended_) continue;
            const auto outcome = co_await rebuild(member).result();
            if (outcome || member.counts) continue;
            if (outcome.error().kind() == Kind::cancelled) co_await Failure{Error{outcome.error()}};
            lose(member, outcome.error());
        }
    }
}

io::Task<void> ReplicatedVolume::rebuild(Member& member) {
    co_await take_in(member);
    co_await copy_missing(member);
    if (!member.fed) co_await fail(Kind::unavailable, "{} was lost", member.way.node());
    auto flushing = member.way.copy().flush(stamp());
    co_await member.way.ask(std::move(flushing));
    co_await compare(member);
    co_await promote(member);
    ++counters_.rebuilt;
    if (state_ == State::stalled) ++counters_.rebuilt_stalled;
}

io::Task<void> ReplicatedVolume::take_in(Member& member) {
    const auto epoch = record_.now().epoch;
    const auto sealed = co_await member.way.reach(epoch, ++seals_);
    member.incarnation = sealed.incarnation;
    member.marked = sealed.marked;
    if (sealed.size < record_.now().size) {
        auto growing = member.way.copy().resize(stamp(), record_.now().size);
        co_await member.way.ask(std::move(growing));
        member.followed = false;
    }
    const auto lock = co_await record_lock_.acquire(record_itself);
    if (record_.now().find(member.way.node())->state == MemberState::joining) {
        auto back = co_await leave(record_.now(), member.way.node());
        co_await change(std::move(back));
    }
    auto next = co_await join(record_.now(), member.way.node(), member.incarnation);
    co_await change(std::move(next));
    member.fed = member.way.open();
}

// What this engine wrote without it, and what it had marked itself: begun there and never known to
// be everywhere, or lost with its host. All of it, where another engine had removed it.
std::vector<Range> ReplicatedVolume::missing(const Member& member) const {
    const auto size = record_.now().size;
    if (!member.followed) return {{0, size}};
    auto ranges = member.marked;
    for (auto region = member.missed.next(0); region != volume::RegionSet::end();
         region = member.missed.next(region + 1)) {
        const auto offset = region * volume::region_size;
        if (offset < size) ranges.push_back({offset, std::min(volume::region_size, size - offset)});
    }
    return ranges;
}

io::Task<void> ReplicatedVolume::copy_missing(Member& member) {
    const auto ranges = missing(member);
    member.copied = member.to_copy = 0;
    for (const auto& range : ranges) member.to_copy += range.length;
    for (const auto& range : ranges) {
        for (std::uint64_t at = 0; at < range.length; at += most_at_once) {
            const Range piece{range.offset + at, std::min(most_at_once, range.length - at)};
            co_await copy_still(member, piece);
        }
    }
}

// Requests that began before are over, or are made again, and those that come later go to the
// member too.
io::Task<void> ReplicatedVolume::copy_still(Member& member, Range piece) {
    const auto unchanged = co_await still(piece);
    storage::AlignedBuffer buffer{piece.length};
    if (buffer.bytes().empty()) co_await fail(Kind::exhausted, "no memory for a piece");
    co_await read_any(piece.offset, buffer.bytes());
    if (!member.fed) co_await fail(Kind::unavailable, "{} was lost", member.way.node());
    const auto zeros =
        std::ranges::all_of(buffer.bytes(), [](std::byte byte) { return byte == std::byte{0}; });
    auto writing = zeros ? member.way.copy().zero(stamp(), piece, storage::Space::release)
                         : member.way.copy().write(stamp(), piece.offset, buffer.bytes());
    co_await member.way.ask(std::move(writing));
    counters_.copied += piece.length;
    member.copied += piece.length;
}

// By digests, against any that counts. Where they differ what was thought to be missing is wrong:
// the next time all of it is copied.
io::Task<void> ReplicatedVolume::compare(Member& member) {
    const auto size = record_.now().size;
    for (std::uint64_t at = 0; at < size; at += digest_span) {
        const Range piece{at, std::min(digest_span, size - at)};
        const auto unchanged = co_await still(piece);
        auto* source = reader({});
        if (!source || !member.fed)
            co_await fail(Kind::unavailable, "{} was lost", member.way.node());
        auto one = source->way.copy().digests(stamp(), piece);
        const auto wanted = co_await source->way.ask(std::move(one)).result();
        if (!wanted) lose(*source, wanted.error());
        if (!wanted) co_await Failure{Error{wanted.error()}};
        if (!member.fed) co_await fail(Kind::unavailable, "{} was lost", member.way.node());
        auto other = member.way.copy().digests(stamp(), piece);
        const auto found = co_await member.way.ask(std::move(other));
        if (found != *wanted) {
            member.followed = false;
            co_await fail(Kind::corrupt, "{} differs at {}", member.way.node(), at);
        }
    }
}

// It counts from before the record may say so: a write that it lacks is not answered any more.
io::Task<void> ReplicatedVolume::promote(Member& member) {
    {
        const auto lock = co_await record_lock_.acquire(record_itself);
        if (!member.fed) co_await fail(Kind::unavailable, "{} was lost", member.way.node());
        auto next = co_await replica::promote(record_.now(), member.way.node());
        member.counts = true;
        const auto changed = co_await change(std::move(next)).result();
        if (!changed) member.counts = false;
        if (!changed) co_await Failure{Error{changed.error()}};
        member.followed = false;
        member.missed.clear();
        member.to_copy = 0;
        member.error.clear();
    }
    co_await adopt();
}

}  // namespace sheaf::replica

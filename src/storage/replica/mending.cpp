// What a running engine does when it loses a copy: nothing is answered until the record says so.

#include <algorithm>

#include "storage/replica/replicated_volume.h"

namespace sheaf::replica {

namespace {

constexpr volume::RangeLock::Range record_itself{0, 1, volume::RangeLock::Mode::exclusive};

}  // namespace

io::Task<void> ReplicatedVolume::supervise() {
    while (!ended_) {
        if (state_ == State::stalled) {
            co_await mend();
            continue;
        }
        trouble_.clear();
        co_await trouble_.wait();
    }
}

// Until all that count can be reached, or do not count any more. What a rebuild holds still ends
// before anything changes again.
io::Task<void> ReplicatedVolume::mend() {
    while (attempts_ > 0) co_await attempt_over_.wait();
    while (!ended_) {
        const auto mended = co_await mend_once().result();
        while (mended && counting(false).empty() && still_ > 0) co_await request_over_.wait();
        if (mended && counting(false).empty()) break;
        if (ended_) co_return;
        co_await look_at_record();
        co_await loop_.sleep(options_.retry);
    }
    if (ended_) co_return;
    state_ = State::serving;
    state_changed_.wake();
}

// Whoever is changing it finds out by himself, and may have to wait for the store.
io::Task<void> ReplicatedVolume::look_at_record() {
    if (!record_lock_.idle()) co_return;
    const auto lock = co_await record_lock_.acquire(record_itself);
    const auto looked = co_await record_.look().result();
    if (!looked && looked.error().kind() == Kind::conflict) end(looked.error());
}

io::Task<void> ReplicatedVolume::mend_once() {
    const auto may_go = counting(true).size() >= record_.now().minimum;
    for (auto* member : counting(false)) {
        if (may_go) {
            co_await remove(*member);
        } else {
            co_await bring_back(*member);
        }
    }
    const auto lost = counting(false);
    // All were reached, and none has what was answered.
    const auto gone = std::ranges::all_of(lost, [this](const Member* member) {
        return member->incarnation != 0 && !unbroken(*member);
    });
    if (!lost.empty() && gone && counting(true).empty())
        end(Error{Kind::io, "every copy was started anew: what was not flushed may be lost"});
    co_await adopt();
}

io::Task<void> ReplicatedVolume::remove(Member& member) {
    const auto lock = co_await record_lock_.acquire(record_itself);
    auto next = co_await replica::remove(record_.now(), member.way.node());
    co_await change(std::move(next));
    member.counts = false;
    member.followed = true;
    member.missed.clear();
    ++counters_.removed;
}

// One that lost nothing has all that was answered, and what was not is asked of it again: that
// needs no store. One that did lose something lost it in regions that it marked, and nothing is
// being written.
io::Task<void> ReplicatedVolume::bring_back(Member& member) {
    co_await reach(member);
    if (!member.way.open() || ended_) co_return;
    if (unbroken(member)) {
        ++counters_.resumed;
        co_return;
    }
    Member* source = nullptr;
    for (auto* other : counting(true))
        if (other != &member && unbroken(*other)) source = other;
    if (!source) {
        member.way.lose();
        member.fed = false;
        co_return;
    }
    const auto marked = member.marked;
    const auto copied = co_await copy(*source, member, marked).result();
    if (!copied) member.way.lose();
    if (!copied) co_return;
    const auto lock = co_await record_lock_.acquire(record_itself);
    auto next = co_await renew(record_.now(), member.way.node(), member.incarnation);
    const auto changed = co_await change(std::move(next)).result();
    if (changed) ++counters_.renewed;
    if (!changed) member.way.lose();
}

io::Task<void> ReplicatedVolume::settle_marks() {
    while (!ended_) {
        co_await loop_.sleep(options_.settle);
        if (state_ == State::serving) static_cast<void>(co_await settle_round().result());
    }
}

// What a copy received before its moment belongs to requests that had begun when all moments were
// known. When those are over, all copies have it.
io::Task<void> ReplicatedVolume::settle_round() {
    const auto configuration = configuration_;
    const auto members = counting(true);
    std::vector<std::uint64_t> moments;
    for (auto* member : members) {
        if (!member->way.open()) co_return;
        auto asking = member->way.copy().moment(stamp());
        const auto asked = co_await member->way.ask(std::move(asking)).result();
        // Where nothing is written nobody else would notice.
        if (!asked) co_return lose(*member, asked.error());
        moments.push_back(*asked);
    }
    const auto begun = blocks_.next();
    while (blocks_.oldest() < begun) co_await request_over_.wait();
    for (std::size_t index = 0; index < members.size(); ++index) {
        auto& way = members[index]->way;
        if (configuration != configuration_ || state_ != State::serving || !way.open()) co_return;
        auto telling = way.copy().settled(stamp(), moments[index]);
        co_await way.ask(std::move(telling));
    }
    ++counters_.settled;
}

}  // namespace sheaf::replica

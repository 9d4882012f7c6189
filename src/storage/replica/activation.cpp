// Becoming the engine: the epoch, the seals, and making copies alike before anything is served.

#include <algorithm>

#include "base/units.h"
#include "storage/replica/replicated_volume.h"
#include "storage/replica/wire.h"

namespace sheaf::replica {

namespace {

// In order, apart, and each within what one message may carry.
std::vector<Range> pieces_of(std::vector<Range> ranges) {
    std::ranges::sort(ranges, {}, &Range::offset);
    std::vector<Range> pieces;
    std::uint64_t end = 0;
    for (const auto& range : ranges) {
        auto at = std::max(range.offset, end);
        end = std::max(end, range.offset + range.length);
        for (; at < end; at += most_payload)
            pieces.push_back({at, std::min<std::uint64_t>(most_payload, end - at)});
    }
    return pieces;
}

bool all_zeros(std::span<const std::byte> bytes) {
    return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

io::Task<std::unique_ptr<ReplicatedVolume>> ReplicatedVolume::open(io::Loop& loop, kv::Kv& store,
                                                                   Ways& ways,
                                                                   EngineOptions options) {
    auto volume = std::unique_ptr<ReplicatedVolume>{
        new ReplicatedVolume{loop, store, ways, std::move(options)}};
    auto outcome = co_await volume->activate().result();
    if (!outcome) {
        co_await volume->abandon();
        co_await std::move(outcome);
    }
    volume->background_.start(volume->supervise());
    volume->background_.start(volume->restore());
    volume->background_.start(volume->settle_marks());
    co_return volume;
}

io::Task<void> ReplicatedVolume::activate() {
    co_await take_epoch();
    while (true) {
        co_await reach_counting();
        if (ended_) co_await Failure{Error{*ended_}};
        if (enough_sealed()) {
            const auto alike = co_await make_alike().result();
            if (alike && enough_sealed()) break;
        }
        if (ended_) co_await Failure{Error{*ended_}};
        co_await record_.look();
        co_await loop_.sleep(options_.retry);
    }
    co_await settle_members();
    if (ended_) co_await Failure{Error{*ended_}};
    state_ = State::serving;
    co_await adopt();
}

// The engine before may still change the record until this has succeeded.
io::Task<void> ReplicatedVolume::take_epoch() {
    while (true) {
        co_await record_.load();
        const auto next =
            co_await replica::activate(record_.now(), options_.node, options_.instance);
        const auto changed = co_await record_.change(next).result();
        if (changed) break;
        if (changed.error().kind() != Kind::unavailable) co_await Failure{Error{changed.error()}};
    }
    for (const auto& member : record_.now().members) {
        auto& added = members_.emplace_back(loop_, ways_, member.node, options_.patience);
        added.counts = member.state == MemberState::in_sync;
    }
    first_ = record_.now();
}

std::vector<ReplicatedVolume::Member*> ReplicatedVolume::counting(bool open) {
    std::vector<Member*> found;
    for (auto& member : members_)
        if (member.counts && member.way.open() == open) found.push_back(&member);
    return found;
}

bool ReplicatedVolume::unbroken(const Member& member) const {
    if (broken(options_.mutation, Mutation::incarnation_not_looked_at)) return true;
    const auto recorded = record_.now().find(member.way.node())->incarnation;
    return recorded == 0 || recorded == member.incarnation;
}

io::Task<void> ReplicatedVolume::reach_counting() {
    io::TaskGroup group;
    for (auto* member : counting(false)) group.start(reach(*member));
    co_await group.join();
}

// Never fails: a way that does not open is not open.
io::Task<void> ReplicatedVolume::reach(Member& member) {
    const auto sealed = co_await member.way.reach(record_.now().epoch, ++seals_).result();
    if (!sealed) {
        member.error = sealed.error().text();
        if (sealed.error().kind() == Kind::conflict) end(sealed.error());
        co_return;
    }
    member.incarnation = sealed->incarnation;
    member.marked = sealed->marked;
    member.fed = member.counts;
    if (member.counts) member.error.clear();
}

// Whether what is sealed is enough to go on with, and one of it may be believed.
bool ReplicatedVolume::enough_sealed() {
    const auto open = counting(true);
    if (ended_ || open.size() < record_.now().minimum) return false;
    return counting(false).empty() ||
           std::ranges::any_of(open, [this](const Member* member) { return unbroken(*member); });
}

// By the content of one that lost nothing, where there is such a one.
io::Task<void> ReplicatedVolume::make_alike() {
    if (broken(options_.mutation, Mutation::copies_not_made_alike)) co_return;
    const auto open = counting(true);
    std::vector<Range> marked;
    for (const auto* member : open)
        marked.insert(marked.end(), member->marked.begin(), member->marked.end());
    const auto sound =
        std::ranges::find_if(open, [this](const Member* member) { return unbroken(*member); });
    began_from_loss_ = sound == open.end();
    auto& source = began_from_loss_ ? *open.front() : **sound;
    for (auto* target : open)
        if (target != &source) co_await copy(source, *target, marked);
}

// The target has it, stable, when this ends. Fails where either is lost meanwhile.
io::Task<void> ReplicatedVolume::copy(Member& source, Member& target, std::vector<Range> ranges) {
    const auto pieces = pieces_of(std::move(ranges));
    for (const auto& piece : pieces) {
        co_await copy_piece(source, target, piece);
        counters_.made_alike += piece.length;
    }
    auto flushing = target.way.copy().flush(stamp());
    const auto flushed = co_await target.way.ask(std::move(flushing)).result();
    if (!flushed) lose(target, flushed.error());
    if (!flushed) co_await Failure{Error{flushed.error()}};
}

io::Task<void> ReplicatedVolume::copy_piece(Member& source, Member& target, Range piece) {
    if (!source.way.open() || !target.way.open())
        co_await fail(Kind::unavailable, "a way was lost");
    storage::AlignedBuffer buffer{piece.length};
    if (buffer.bytes().empty()) co_await fail(Kind::exhausted, "no memory for a piece");
    auto reading = source.way.copy().read(stamp(), piece.offset, buffer.bytes());
    const auto read = co_await source.way.ask(std::move(reading)).result();
    if (!read) lose(source, read.error());
    if (!read) co_await Failure{Error{read.error()}};
    if (!target.way.open()) co_await fail(Kind::unavailable, "a way was lost");
    auto writing = all_zeros(buffer.bytes())
                       ? target.way.copy().zero(stamp(), piece, storage::Space::release)
                       : target.way.copy().write(stamp(), piece.offset, buffer.bytes());
    const auto written = co_await target.way.ask(std::move(writing)).result();
    if (!written) lose(target, written.error());
    if (!written) co_await Failure{Error{written.error()}};
}

// Whoever could not be sealed is removed; the others are alike now, in whatever incarnation.
io::Task<void> ReplicatedVolume::settle_members() {
    std::vector<Alike> alike;
    for (const auto* member : counting(true))
        alike.push_back({member->way.node(), member->incarnation});
    const auto began = began_from_loss_ ? Began::from_loss : Began::whole;
    auto next = co_await settle(record_.now(), alike, began);
    co_await change(std::move(next));
    for (auto* member : counting(false)) {
        member->counts = member->fed = false;
        ++counters_.removed;
    }
}

// A conflict is the end.
io::Task<void> ReplicatedVolume::change(Membership next) {
    const auto outcome = co_await record_.change(std::move(next)).result();
    if (outcome) co_return;
    if (outcome.error().kind() == Kind::conflict) end(outcome.error());
    co_await Failure{Error{outcome.error()}};
}

// The copies are told the generation that is now. Which are told later, by the next one, know less
// than they might; nothing depends on it.
io::Task<void> ReplicatedVolume::adopt() {
    for (auto* member : counting(true)) {
        if (!member->way.open()) continue;
        auto telling = member->way.copy().set_generation(stamp());
        const auto told = co_await member->way.ask(std::move(telling)).result();
        if (!told) lose(*member, told.error());
    }
}

}  // namespace sheaf::replica

#include "storage/replica/replicated_volume.h"

#include <algorithm>

#include "base/units.h"
#include "storage/replica/wire.h"
#include "storage/vectors.h"

namespace sheaf::replica {

namespace {

using Mode = volume::RangeLock::Mode;

constexpr auto last_patience = std::chrono::seconds{5};

std::uint64_t first_block(std::uint64_t offset) {
    return align_down(offset, unit);
}

std::uint64_t end_block(std::uint64_t offset, std::uint64_t length) {
    return align_up(offset + length, unit);
}

}  // namespace

void EngineCounters::add(const EngineCounters& other) {
    repeated += other.repeated;
    removed += other.removed;
    resumed += other.resumed;
    renewed += other.renewed;
    rebuilt += other.rebuilt;
    rebuilt_stalled += other.rebuilt_stalled;
    made_alike += other.made_alike;
    copied += other.copied;
    settled += other.settled;
    healed += other.healed;
}

ReplicatedVolume::ReplicatedVolume(io::Loop& loop, kv::Kv& store, Ways& ways, EngineOptions options)
    : loop_(loop),
      ways_(ways),
      options_(std::move(options)),
      record_(loop, store, options_.volume, options_.mutation) {}

storage::Geometry ReplicatedVolume::geometry() const {
    return {.size = record_.now().size,
            .block_size = 512,
            .preferred_block_size = static_cast<std::uint32_t>(unit),
            .discard_granularity = static_cast<std::uint32_t>(unit),
            .read_only = false};
}

Result<void> ReplicatedVolume::check(std::uint64_t offset, std::uint64_t length) const {
    return volume::check_range(offset, length, record_.now().size);
}

io::Task<volume::RangeLock::Held> ReplicatedVolume::lock(Range range, Mode mode) {
    const auto end = end_block(range.offset, range.length);
    volume::RangeLock::Range blocks{range.offset / unit, end / unit, mode};
    if (broken(options_.mutation, Mutation::ranges_not_locked)) blocks.mode = Mode::shared;
    return blocks_.acquire(blocks);
}

// Waits until requests may go to the copies; fails where they never will again.
io::Task<void> ReplicatedVolume::serve() {
    while (state_ != State::serving) {
        if (ended_) co_await Failure{Error{*ended_}};
        co_await state_changed_.wait();
    }
}

void ReplicatedVolume::stall() {
    if (state_ != State::serving) return;
    state_ = State::stalled;
    ++configuration_;
    if (locking_) locking_->cancel();
}

void ReplicatedVolume::end(Error error) {
    if (ended_) return;
    ended_.emplace(std::move(error));
    state_ = State::ended;
    ++configuration_;
    state_changed_.wake();
    trouble_.set();
}

// A copy that was sealed by another engine says so; anything else is the fault of the copy, or of
// the way to it.
void ReplicatedVolume::lose(Member& member, const Error& error) {
    member.way.lose();
    member.fed = false;
    member.to_copy = 0;
    member.error = error.text();
    if (!member.counts) member.followed = false;
    if (error.kind() == Kind::conflict) return end(error);
    if (!member.counts) return;
    stall();
    trouble_.set();
}

io::Task<void> ReplicatedVolume::write(std::uint64_t offset, std::span<const iovec> vectors) {
    const auto length = storage::length_of(vectors);
    co_await check(offset, length);
    if (length == 0) co_return;
    const auto first = first_block(offset);
    storage::AlignedBuffer content{end_block(offset, length) - first};
    if (content.bytes().empty()) co_await fail(Kind::exhausted, "no memory for {} bytes", length);
    storage::VectorCursor cursor{vectors};
    cursor.copy_out(content.bytes().subspan(offset - first, length));
    const auto place = requests_.emplace(requests_.end());
    place->deed = Deed::write;
    place->offset = offset;
    place->length = length;
    place->content = std::move(content);
    co_await submit(place);
}

io::Task<void> ReplicatedVolume::flush() {
    const auto place = requests_.emplace(requests_.end());
    co_await submit(place);
}

io::Task<void> ReplicatedVolume::discard(std::uint64_t offset, std::uint64_t length) {
    co_await check(offset, length);
    const auto first = align_up(offset, unit);
    const auto end = align_down(offset + length, unit);
    if (first >= end) co_return;
    const auto place = requests_.emplace(requests_.end());
    place->deed = Deed::discard;
    place->offset = first;
    place->length = end - first;
    co_await submit(place);
}

// What is not whole blocks is written.
io::Task<void> ReplicatedVolume::zero(std::uint64_t offset, std::uint64_t length,
                                      storage::Space space) {
    co_await check(offset, length);
    const auto first = std::min(align_up(offset, unit), offset + length);
    const auto end = std::max(align_down(offset + length, unit), first);
    std::vector<std::byte> zeros(unit);
    for (const auto& edge : {Range{offset, first - offset}, Range{end, offset + length - end}}) {
        if (edge.length == 0) continue;
        const iovec piece{zeros.data(), edge.length};
        co_await write(edge.offset, std::span{&piece, 1});
    }
    if (first >= end) co_return;
    const auto place = requests_.emplace(requests_.end());
    place->deed = space == storage::Space::release ? Deed::zero_release : Deed::zero_keep;
    place->offset = first;
    place->length = end - first;
    co_await submit(place);
}

// The one that is over first takes it off the list: the task, or who waits for it.
io::Task<void> ReplicatedVolume::submit(Place place) {
    work_.start(carry_out(place));
    if (!place->over) {
        const auto waited = co_await place->done.wait().result();
        if (!waited && !place->over) {
            place->over = true;  // nobody waits any more; the task goes on
            co_await Failure{Error{waited.error()}};
        }
    }
    auto outcome = std::move(place->outcome);
    requests_.erase(place);
    co_await std::move(outcome);
}

io::Task<void> ReplicatedVolume::carry_out(Place place) {
    place->outcome = co_await perform(*place).result();
    request_over_.wake();
    if (std::exchange(place->over, true)) {
        requests_.erase(place);
    } else {
        place->done.set();
    }
}

io::Task<void> ReplicatedVolume::perform(Request& request) {
    std::optional<volume::RangeLock::Held> held;
    if (request.deed != Deed::flush) {
        const Range range{request.offset, request.length};
        held.emplace(co_await lock(range, Mode::exclusive));
    }
    const auto first = first_block(request.offset);
    if (request.deed == Deed::write) {
        co_await fill_edges(request, first);
        request.length = request.content.bytes().size();
        request.offset = first;
    }
    while (true) {
        co_await serve();
        note_missed(request);
        const auto done = co_await attempt(request);
        if (done) co_return;
        ++counters_.repeated;
    }
}

// What the first and the last block hold where the request does not reach. Its blocks are locked.
io::Task<void> ReplicatedVolume::fill_edges(Request& request, std::uint64_t first) {
    const auto content = request.content.bytes();
    const auto before = request.offset - first;
    const auto end = before + request.length;
    if (before == 0 && end == content.size()) co_return;
    storage::AlignedBuffer block{unit};
    if (block.bytes().empty()) co_await fail(Kind::exhausted, "no memory for a block");
    if (before > 0 || content.size() == unit) {
        co_await read_blocks(first, block.bytes());
        std::ranges::copy(block.bytes().first(before), content.begin());
        if (content.size() == unit)
            std::ranges::copy(block.bytes().subspan(end), content.subspan(end).begin());
    }
    if (content.size() == unit || end == content.size()) co_return;
    const auto last = content.size() - unit;
    co_await read_blocks(first + last, block.bytes());
    std::ranges::copy(block.bytes().subspan(end - last), content.subspan(end).begin());
}

void ReplicatedVolume::note_missed(const Request& request) {
    if (request.deed == Deed::flush) return;
    const auto last = (request.offset + request.length - 1) / volume::region_size;
    for (auto& member : members_)
        for (auto region = request.offset / volume::region_size;
             region <= last && !member.fed && member.followed; ++region)
            member.missed.insert(region);
}

// In tests alone, which break rules.
bool ReplicatedVolume::leaves_out(const Member& member, Deed deed) const {
    const auto rule = options_.mutation;
    return (!member.counts && broken(rule, Mutation::joiner_left_out_of_writes)) ||
           (deed == Deed::flush && &member == &members_.front() &&
            broken(rule, Mutation::flush_leaves_one_out));
}

// Whether every copy that counts has it now. All of them are asked at the same time.
io::Task<bool> ReplicatedVolume::attempt(const Request& request) {
    const auto configuration = configuration_;
    std::list<std::pair<Member*, Result<void>>> asked;
    ++attempts_;
    {
        io::TaskGroup group;
        for (auto& member : members_) {
            if (!member.fed || leaves_out(member, request.deed)) continue;
            auto& [who, outcome] = asked.emplace_back(&member, Result<void>{});
            group.start(ask(*who, request, outcome));
        }
        static_cast<void>(co_await group.join().result());  // each has its outcome
    }
    auto all = configuration == configuration_;
    auto any = false;
    for (auto& [member, outcome] : asked) {
        any = any || outcome;
        if (outcome) continue;
        all = all && !member->counts;
        lose(*member, outcome.error());
    }
    --attempts_;
    attempt_over_.wake();
    if (broken(options_.mutation, Mutation::answered_before_removal)) co_return any;
    co_return all && !ended_;
}

io::Task<void> ReplicatedVolume::ask(Member& member, const Request& request,
                                     Result<void>& outcome) {
    outcome = fail(Kind::unavailable, "the way to {} is lost", member.way.node());
    if (!member.way.open()) co_return;
    auto asking = apply(member.way.copy(), request);
    outcome = co_await member.way.ask(std::move(asking)).result();
}

// Content goes in pieces of what one message may carry.
io::Task<void> ReplicatedVolume::apply(Replica& copy, const Request& request) {
    const Range range{request.offset, request.length};
    const auto now = stamp();
    switch (request.deed) {
        case Deed::flush: co_await copy.flush(now); break;
        case Deed::discard: co_await copy.discard(now, range); break;
        case Deed::zero_keep: co_await copy.zero(now, range, storage::Space::keep); break;
        case Deed::zero_release: co_await copy.zero(now, range, storage::Space::release); break;
        case Deed::write: {
            const auto content = request.content.bytes();
            for (std::uint64_t at = 0; at < content.size(); at += most_payload) {
                const auto length = std::min<std::size_t>(most_payload, content.size() - at);
                const auto piece = content.subspan(at, length);
                co_await copy.write(now, request.offset + at, piece);
            }
            break;
        }
    }
}

io::Task<void> ReplicatedVolume::wait_ended() {
    while (!ended_) co_await state_changed_.wait();
}

// Where a copy is missing the next activation makes them alike, as after a crash.
io::Task<void> ReplicatedVolume::shut_down() {
    if (state_ == State::serving) {
        auto flushing = flush();
        static_cast<void>(co_await io::within(loop_, last_patience, std::move(flushing)).result());
    }
    if (state_ == State::serving) {
        auto settling = settle_round();
        static_cast<void>(co_await io::within(loop_, last_patience, std::move(settling)).result());
    }
    co_await abandon();
}

io::Task<void> ReplicatedVolume::abandon() {
    if (!ended_) end(Error{Kind::cancelled, "the engine was ended"});
    background_.cancel();
    work_.cancel();
    static_cast<void>(co_await background_.join().result());
    for (auto& member : members_) co_await member.way.shut_down();
    static_cast<void>(co_await work_.join().result());
}

}  // namespace sheaf::replica

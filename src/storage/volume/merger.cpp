#include "storage/volume/merger.h"

#include <algorithm>
#include <bit>

#include "storage/aligned_buffer.h"
#include "storage/checksum.h"
#include "storage/volume/volume.h"

namespace sheaf::volume {

namespace {

constexpr auto page_span = std::uint64_t{chunks_per_page} * chunk_size;
constexpr int retry_rounds = 4;  // of upkeep

RangeLock::Range blocks_of(std::uint64_t chunk) {
    return {chunk * blocks_per_chunk, (chunk + 1) * blocks_per_chunk, RangeLock::Mode::exclusive};
}

}  // namespace

void Merger::wake() {
    wanted_.set();
}

void Merger::release(const Id& layer) {
    released_.push_back(layer);
    wake();
}

// What fails is tried again later. While something waits for others they are looked at now and
// then: nobody says when a clone is gone.
io::Task<void> Merger::run() {
    while (true) {
        wanted_.clear();
        in_round_ = true;
        auto outcome = co_await work_once().result();
        in_round_ = false;
        failure_.reset();
        if (!outcome) failure_ = std::move(outcome).error();
        ++rounds_;
        round_ended_.wake();
        if ((failure_ || waiting_) && !std::exchange(timer_, true))
            volume_.background_.start(wake_later());
        co_await wanted_.wait();
    }
}

io::Task<void> Merger::wake_later() {
    const auto outcome =
        co_await volume_.loop_.sleep(volume_.options_.upkeep_interval * retry_rounds).result();
    timer_ = false;
    wake();
}

io::Task<void> Merger::wait_idle() {
    const auto enough = rounds_ + (in_round_ ? 2 : 1);
    wake();
    while (rounds_ < enough) {
        wake();
        co_await round_ended_.wait();
    }
    if (failure_) co_await Failure{Error{*failure_}};
}

io::Task<void> Merger::work_once() {
    waiting_ = false;
    while (true) {
        co_await release_all();
        const auto dropped = co_await volume_.restacking_.drop_unused();
        if (dropped) continue;
        const auto job = co_await find_job();
        if (!job) break;
        job_ = job;
        auto outcome = co_await perform(*job).result();
        job_.reset();
        batch_.clear();
        co_await std::move(outcome);
    }
}

io::Task<void> Merger::release_all() {
    while (!released_.empty()) {
        co_await volume_.store_.release(released_.front());
        released_.pop_front();
    }
}

bool Merger::touches(const Layer& layer) const {
    if (broken(volume_.options_.mutation, Mutation::chain_while_merging)) return false;
    // Where copying failed it may have changed since its map was written.
    if (layer.is(layer_frozen) && layer.map.changed_pages() > 0) return true;
    if (!job_) return false;
    if (layer.entry.number == job_->child) return true;
    if (!valid(*job_)) return false;
    const auto span = span_of(*job_);
    for (auto* below = span.top; below != span.end; below = below->parent)
        if (below == &layer) return true;
    return false;
}

// Each layer that is not to go itself, and what lies right below it and is.
std::vector<Merger::Candidate> Merger::candidates() {
    std::vector<Candidate> found;
    const auto& layers = volume_.layers_;
    for (const auto& child : layers.all()) {
        auto* below = child->parent;
        if (!child->space || !below || !below->is(layer_deleted)) continue;
        if (child->is(layer_deleted) && layers.children(*child) == 1) continue;
        Candidate candidate;
        candidate.child = child->entry.number;
        candidate.base = !below->space;
        auto pinned = child->pins > 0;
        if (child.get() != &layers.head()) candidate.child_id = child->entry.id;
        candidate.top = below->entry.number;
        for (; below && !candidate.base && below->is(layer_deleted) && below->space &&
               layers.children(*below) == 1 && below->pins == 0;
             below = below->parent)
            candidate.unshared.emplace_back(below->entry.number, below->entry.id);
        pinned = pinned || (below && below->pins > 0 && !candidate.base);
        candidate.end = candidate.base || !below ? 0 : below->entry.number;
        waiting_ = waiting_ || pinned || (!candidate.base && candidate.unshared.empty());
        if (child->pins > 0 || (!candidate.base && candidate.unshared.empty())) continue;
        found.push_back(std::move(candidate));
    }
    return found;
}

// What somebody else has a claim on is neither changed nor, as long as that saves no space, copied.
io::Task<std::optional<Merger::Job>> Merger::find_job() {
    const auto alone = broken(volume_.options_.mutation, Mutation::claims_of_others_ignored);
    // A view that comes and goes meanwhile may have left a claim.
    const auto views = views_;
    for (auto& candidate : candidates()) {
        auto blocked = false;
        if (candidate.child_id && !alone)
            blocked = co_await volume_.store_.shared(*candidate.child_id);
        for (std::size_t i = 0; i < candidate.unshared.size() && !blocked && !alone; ++i) {
            const auto [number, id] = candidate.unshared[i];
            const auto shared = co_await volume_.store_.shared(id);
            if (!shared) continue;
            waiting_ = true;
            blocked = i == 0;
            candidate.end = number;
            break;
        }
        waiting_ = waiting_ || blocked;
        const Job job{candidate.child, candidate.top, candidate.end, !candidate.base};
        if (views != views_) wake();
        if (!blocked && valid(job) && views == views_) co_return job;
    }
    co_return std::nullopt;
}

bool Merger::valid(const Job& job) const {
    const auto* child = volume_.layers_.find(job.child);
    if (!child || child->pins > 0 || !child->parent || child->parent->entry.number != job.top)
        return false;
    const auto* below = child->parent;
    for (; below && below->entry.number != job.end; below = below->parent)
        if (!below->is(layer_deleted) || (job.punch && below->pins > 0)) return false;
    return below || job.end == 0;
}

LayerSpan Merger::span_of(const Job& job) const {
    return {volume_.layers_.find(job.top), job.end == 0 ? nullptr : volume_.layers_.find(job.end)};
}

io::Task<void> Merger::perform(Job job) {
    // A commit that failed comes first: it may say what is head here.
    co_await volume_.checkpoint();
    auto* child = volume_.layers_.find(job.child);
    if (!child || !valid(job)) co_return;
    // Where some became free without being noted, they cannot be told from what is still in use.
    const auto noted = !child->known_slots.empty() || child->space->free_below_end() == 0;
    if (child != &volume_.head() && !child->free_slots_known && noted)
        co_await volume_.upkeep_.find_free_slots(*child);
    progress_ = {};
    if (!valid(job)) co_return;
    const auto span = span_of(job);
    for (auto* layer = span.top; layer != span.end; layer = layer->parent)
        progress_.total += layer->entry.slots_used * chunk_size;
    const auto went = co_await copy_all(job);
    if (went == Went::away) co_return;
    if (went == Went::on) {
        co_await volume_.restacking_.reparent(job.child, job.top, job.end);
    } else {
        co_await volume_.loop_.sleep(volume_.options_.upkeep_interval);
    }
    auto* still = volume_.layers_.find(job.child);
    if (still && went == Went::out_of_room) still->space->try_again();
    // What is frozen grows no more.
    if (still && went == Went::on && still != &volume_.head()) {
        const auto trimmed = co_await still->space->trim().result();
    }
}

io::Task<Merger::Went> Merger::copy_all(Job job) {
    const auto pages = (volume_.geometry().size + page_span - 1) / page_span;
    auto went = Went::on;
    for (std::uint64_t page = 0; page < pages && went == Went::on; ++page) {
        if (!valid(job)) break;
        page = co_await LayerReader::next_present(span_of(job), page, pages);
        if (page == pages) break;
        for (auto chunk = page * chunks_per_page;
             chunk < (page + 1) * chunks_per_page && went == Went::on; ++chunk) {
            went = co_await copy_chunk(job, chunk);
            if (went == Went::out_of_room && !batch_.empty()) {
                co_await end_batch(job);
                went = co_await copy_chunk(job, chunk);
            }
            if (batch_.size() >= volume_.options_.merge_batch) co_await end_batch(job);
        }
    }
    co_await end_batch(job);
    if (!valid(job)) went = Went::away;
    co_return went;
}

io::Task<Merger::Went> Merger::copy_chunk(Job job, std::uint64_t chunk) {
    const auto range = blocks_of(chunk);
    // Whoever has the blocks may wait for room, so none is held back meanwhile.
    if (volume_.blocks_.busy(range.first, range.end)) {
        co_await end_batch(job);
        if (volume_.head().space->starved()) co_return Went::out_of_room;
    }
    auto held = std::optional{co_await volume_.blocks_.acquire(range)};
    if (broken(volume_.options_.mutation, Mutation::merge_without_lock)) held.reset();
    if (!valid(job)) co_return Went::away;
    const auto owners = co_await volume_.reader_.owners(span_of(job), chunk, all_blocks);
    auto present = std::uint32_t{0};
    for (unsigned block = 0; block < blocks_per_chunk; ++block)
        if (owners.at(block).layer) present |= 1U << block;
    if (present == 0) co_return Went::on;
    auto& child = *volume_.layers_.find(job.child);
    const auto page = co_await child.map.page(chunk / chunks_per_page);
    auto missing = present;
    for (unsigned block = 0; block < blocks_per_chunk; ++block)
        if (page->entry(chunk).state(block) != BlockState::absent) missing &= ~(1U << block);
    auto went = Went::on;
    if (missing != 0) went = co_await copy_blocks(job, chunk, owners, missing);
    if (went == Went::on) batch_.push_back(chunk);
    co_return went;
}

// The blocks are as if a request had written them: marks where it is the head, content before the
// log or a checkpoint tells of it. A write that fails hits what nobody reads.
io::Task<Merger::Went> Merger::copy_blocks(Job job, std::uint64_t chunk, const ChunkOwners& owners,
                                           std::uint32_t missing) {
    auto& child = *volume_.layers_.find(job.child);
    const auto is_head = &child == &volume_.head();
    const auto region = chunk * chunk_size / region_size;
    if (is_head) co_await volume_.mark(region, region + 1);
    auto wanted = owners;
    auto data = missing;
    for (unsigned block = 0; block < blocks_per_chunk; ++block) {
        if ((missing >> block & 1) != 0 && owners.at(block).is_data()) continue;
        data &= ~(1U << block);
        wanted.at(block) = {};
    }
    if (data != 0) {
        auto use = co_await ChunkUse::begin_now(volume_, child, chunk);
        if (!use) co_return Went::out_of_room;
        storage::AlignedBuffer buffer{chunk_size};
        const auto bytes = buffer.bytes();
        if (bytes.empty()) co_await fail(Kind::exhausted, "no memory for a chunk");
        co_await volume_.reader_.read_chunk(wanted, chunk, bytes);
        for (auto left = data; left != 0;) {
            const auto first = static_cast<unsigned>(std::countr_zero(left));
            const auto count = static_cast<unsigned>(std::countr_one(left >> first));
            const auto part = bytes.subspan(first * block_size, count * block_size);
            co_await child.data.write(part, use->slot() * chunk_size + first * block_size);
            left &= ~static_cast<std::uint32_t>(((std::uint64_t{1} << count) - 1) << first);
            std::vector<std::uint32_t> sums;
            for (auto block = first; block < first + count; ++block) {
                const auto& known = wanted.at(block).checksum;
                const auto content = bytes.subspan(block * block_size, block_size);
                sums.push_back(known ? *known : volume_.checksums() ? storage::crc32c(content) : 0);
            }
            static_cast<void>(use->written(first, sums));  // nobody is answered
        }
        ++volume_.counters_.chunks_merged;
    }
    const auto zeros = !broken(volume_.options_.mutation, Mutation::zeros_not_merged);
    if (job.end != 0 && missing != data && zeros) {
        const auto page = co_await child.map.page(chunk / chunks_per_page);
        for (unsigned block = 0; block < blocks_per_chunk; ++block)
            if (((missing & ~data) >> block & 1) != 0)
                page->entry(chunk).set_state(block, BlockState::zero);
        volume_.entry_changed(child, *page, chunk, true);
    }
    if (is_head) volume_.count_change();
    co_return Went::on;
}

// What was copied, or was above already, is stable before what lies below is given back. The log
// must know too: a page of it that was on its way may tell of an older state.
io::Task<void> Merger::end_batch(Job job) {
    if (batch_.empty()) co_return;
    const auto chunks = std::exchange(batch_, {});
    if (!broken(volume_.options_.mutation, Mutation::room_given_back_before_stable)) {
        volume_.stable_.note_change();
        co_await volume_.flush();
        co_await volume_.checkpoint();
    }
    for (const auto chunk : chunks) {
        progress_.done = std::min(progress_.total, progress_.done + chunk_size);
        if (job.punch) co_await punch(job, chunk);
    }
}

// Nobody reads these blocks any more, for the layer above has them; where the file system cannot
// give the room back now, it does when the layer goes.
io::Task<void> Merger::punch(Job job, std::uint64_t chunk) {
    const auto range = blocks_of(chunk);
    if (volume_.blocks_.busy(range.first, range.end)) co_return;
    const auto held = co_await volume_.blocks_.acquire(range);
    if (!valid(job)) co_return;
    const auto span = span_of(job);
    for (auto* layer = span.top; layer != span.end; layer = layer->parent) {
        const auto page = co_await layer->map.page_if_any(chunk / chunks_per_page);
        if (!page || !(*page)->entry(chunk).has_data()) continue;
        const auto place = (*page)->entry(chunk).slot * chunk_size;
        const auto outcome = co_await layer->data.punch(place, chunk_size).result();
        if (outcome) ++volume_.counters_.slots_punched;
    }
}

}  // namespace sheaf::volume

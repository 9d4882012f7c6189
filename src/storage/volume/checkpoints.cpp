#include "storage/volume/checkpoints.h"

#include "storage/volume/volume.h"

namespace sheaf::volume {

// What a flush tells the log, and what has to be undone should it fail.
struct Checkpoints::Logged {
    struct Page {
        Pin pin;
        std::uint32_t entries;  // a bit each
    };
    struct Entry {
        CachedPage* page;
        ChunkRecord stable;
        ChunkRecord last;  // what the log is told of it last
    };
    std::vector<Page> pages;
    std::vector<Entry> entries;
    std::vector<std::uint32_t> freed;
};

namespace {

constexpr RangeLock::Range journal_itself{0, 1, RangeLock::Mode::exclusive};

Failure again(const std::optional<Error>& error) {
    return Failure{Error{*error}};
}

bool is(const SlotEntry& entry, const ChunkRecord& record) {
    return entry.states == record.states &&
           (entry.has_data() ? entry.slot : no_slot) == record.slot;
}

// Where it has changed meanwhile, it is still to be told.
void note_told(CachedPage& page, const ChunkRecord& record) {
    if (is(page.entry(record.chunk), record))
        page.untold &= ~(1U << (record.chunk % chunks_per_page));
}

ChunkRecord record_of(RecordType type, const Layer& head, std::uint64_t chunk,
                      const SlotEntry& entry) {
    return {.header = {static_cast<std::uint16_t>(type), sizeof(ChunkRecord)},
            .layer = head.entry.number,
            .chunk = static_cast<std::uint32_t>(chunk),
            .slot = entry.has_data() ? entry.slot : no_slot,
            .states = entry.states,
            .file = entry.file,
            .reserved = 0};
}

}  // namespace

// One flush runs at a time; those who come meanwhile share the next.
io::Task<void> Checkpoints::flush() {
    const auto target = changes_;
    while (flushed_ < target) {
        if (volume_.closed_) co_await again(volume_.closed_);
        const auto failures = flushing_.failures;
        if (flushing_.begin()) volume_.work_.start(flush_once());
        co_await flushing_.wait();
        if (flushing_.failures != failures) co_await again(flushing_.error);
    }
}

// The states that the log is told are those of now: what is written from here on may not be stable
// when the log is.
io::Task<void> Checkpoints::flush_once() {
    const auto reached = changes_;
    auto& head = volume_.layers_.head();
    auto logged = take_changes(head);
    auto outcome = co_await log_changes(logged, head).result();
    if (outcome) {
        flushed_ = reached;
        for (const auto slot : logged.freed) head.space->release(slot);
    } else {
        give_back(std::move(logged), head);
    }
    flushing_.end(std::move(outcome));
}

Checkpoints::Logged Checkpoints::take_changes(Layer& head) {
    Logged logged;
    logged.freed = std::exchange(head.freed, {});
    for (auto* page : head.map.take_unlogged()) {
        logged.pages.push_back({Pin{*page}, std::exchange(page->unlogged, 0)});
        for (unsigned place = 0; place < chunks_per_page; ++place) {
            if ((logged.pages.back().entries >> place & 1) == 0) continue;
            const auto chunk = page->number * chunks_per_page + place;
            const auto& entry = page->bytes->entries.at(place);
            const auto record = record_of(RecordType::chunk, head, chunk, entry);
            logged.entries.push_back({page, record, record});
        }
    }
    return logged;
}

// What has changed since is told behind what is stable now, on the same page: the log may have been
// told of it already, and must not go back behind that.
LogBatch Checkpoints::batch_of(Logged& logged, const Layer& head) const {
    LogBatch batch;
    for (auto& [page, stable, last] : logged.entries) {
        const auto& entry = page->entry(stable.chunk);
        if (is(entry, stable) || broken(volume_.options_.mutation, Mutation::flush_goes_back)) {
            batch.add(stable);
        } else {
            last = record_of(RecordType::written_chunk, head, stable.chunk, entry);
            batch.add_both(stable, last);
        }
    }
    return batch;
}

// The log of a head begins with the commit that made it the head.
io::Task<void> Checkpoints::log_changes(Logged& logged, Layer& head) {
    const auto rule = volume_.options_.mutation;
    if (!broken(rule, Mutation::flush_without_content)) co_await head.data.sync();
    const auto waits_for_stack = unfinished_ && unfinished_->changes_stack &&
                                 !broken(rule, Mutation::flush_before_the_stack);
    if (logged.entries.empty() && !waits_for_stack) co_return;
    {
        const auto lock = co_await journal_lock_.acquire(journal_itself);
        if (waits_for_stack) co_await finish_commit();
        const auto batch = batch_of(logged, head);
        if (batch.pages() <= volume_.journal_->pages_free()) {
            if (!batch.empty()) co_await volume_.journal_->append(batch);
            for (const auto& entry : logged.entries) note_told(*entry.page, entry.last);
            co_return;
        }
    }
    // More than the log has room for: a checkpoint begun now says it all.
    co_await checkpoint();
}

void Checkpoints::give_back(Logged logged, Layer& head) {
    head.freed.insert(head.freed.end(), logged.freed.begin(), logged.freed.end());
    for (auto& page : logged.pages) {
        if (page.pin->unlogged == 0) head.map.return_unlogged(*page.pin);
        page.pin->unlogged |= page.entries;
    }
}

io::Task<void> Checkpoints::tell(std::vector<std::uint64_t> chunks) {
    const auto& options = volume_.options_;
    if (chunks.empty() || options.boot == Id{}) co_return;
    if (broken(options.mutation, Mutation::answered_before_told)) co_return;
    untold_.insert(untold_.end(), chunks.begin(), chunks.end());
    const auto target = ++tellings_;
    while (told_ < target) {
        if (volume_.closed_) co_await again(volume_.closed_);
        const auto failures = telling_.failures;
        if (telling_.begin()) volume_.work_.start(tell_once());
        co_await telling_.wait();
        if (told_ < target && telling_.failures != failures) co_await again(telling_.error);
    }
}

io::Task<void> Checkpoints::end_telling() {
    while (telling_.busy()) co_await telling_.wait();
    untold_.clear();
}

io::Task<void> Checkpoints::tell_once() {
    const auto reached = tellings_;
    const auto chunks = std::exchange(untold_, {});
    auto outcome = co_await log_told(chunks).result();
    if (outcome) told_ = reached;
    telling_.end(std::move(outcome));
}

// The states are those of now, not of when the request asked: what the log says of a chunk last is
// never older than what it said before.
io::Task<void> Checkpoints::log_told(std::span<const std::uint64_t> chunks) {
    {
        const auto lock = co_await journal_lock_.acquire(journal_itself);
        if (unfinished_ && unfinished_->changes_stack) co_await finish_commit();
        auto& head = volume_.layers_.head();
        LogBatch batch;
        std::vector<std::pair<Pin, ChunkRecord>> told;
        for (const auto chunk : chunks) {
            auto page = co_await head.map.page(chunk / chunks_per_page);
            const auto type = RecordType::written_chunk;
            const auto record = record_of(type, head, chunk, page->entry(chunk));
            batch.add(record);
            told.emplace_back(std::move(page), record);
        }
        if (batch.pages() <= volume_.journal_->pages_free()) {
            co_await volume_.journal_->append(batch, Journal::Reach::written);
            for (const auto& [page, record] : told) note_told(*page, record);
            co_return;
        }
    }
    co_await checkpoint();
}

void Checkpoints::start_checkpoint() {
    if (checkpointing_.begin()) volume_.work_.start(checkpoint_once());
}

// One that is running may have begun before what the caller wants to see in it.
io::Task<void> Checkpoints::checkpoint() {
    while (checkpointing_.busy()) co_await checkpointing_.wait();
    const auto failures = checkpointing_.failures;
    start_checkpoint();
    co_await checkpointing_.wait();
    if (checkpointing_.failures != failures) co_await again(checkpointing_.error);
}

io::Task<void> Checkpoints::checkpoint_once() {
    auto outcome = co_await write_checkpoint().result();
    if (outcome) ++volume_.counters_.checkpoints;
    checkpointing_.end(std::move(outcome));
}

// The maps as they are at one instant, and where the log goes on from that instant.
io::Task<void> Checkpoints::write_checkpoint() {
    auto& journal = *volume_.journal_;
    auto lock = std::optional{co_await journal_lock_.acquire(journal_itself)};
    co_await finish_commit();
    auto now = capture();
    const auto sequence = journal.sequence() + 1;
    lock.reset();
    co_await store(now, sequence);
    lock.emplace(co_await journal_lock_.acquire(journal_itself));
    auto prepared = co_await journal.prepare(now.superblock, std::move(now.layers));
    unfinished_.emplace(Commit{std::move(prepared), std::move(now.images), {}, false});
    co_await finish_commit();
}

// The caller holds the journal's lock, and nothing is unfinished.
Checkpoints::Change Checkpoints::capture() {
    const auto& journal = *volume_.journal_;
    Change now{journal.superblock(), journal.layers(), {}, {}, {}};
    now.superblock.log_first = journal.position().next;
    now.superblock.log_previous = journal.position().previous;
    now.superblock.log_incarnation = journal.incarnation();
    for (const auto& layer : volume_.layers_.all()) {
        if (!layer->space) continue;
        const auto changed = layer->map.changed_pages() > 0;
        auto grown = false;
        for (auto& entry : now.layers) {
            if (entry.number != layer->entry.number) continue;
            grown = entry.slots_end != layer->space->end();
            entry.slots_used = layer->entry.slots_used;
            entry.slots_end = layer->space->end();
        }
        if (changed) now.images.push_back({layer.get(), layer->map.capture()});
        if (changed || grown || layer.get() == &volume_.head()) now.contents.push_back(layer.get());
    }
    return now;
}

// Content, and files as long as the table will say, before the pages that tell of it.
io::Task<void> Checkpoints::store(Change& change, std::uint64_t sequence) {
    for (auto* layer : change.contents) co_await layer->data.sync();
    for (auto& image : change.images) {
        co_await image.layer->map.write(image.map, sequence);
        for (auto& entry : change.layers)
            if (entry.number == image.layer->entry.number) entry.root = image.map.pointer;
    }
}

// A commit that failed may be on the disk or not. Until it has succeeded the homes that both states
// name are left alone: it is tried again before any other. The caller holds the journal's lock.
io::Task<void> Checkpoints::finish_commit() {
    if (!unfinished_) co_return;
    co_await volume_.journal_->commit(unfinished_->prepared);
    for (auto& image : unfinished_->images) {
        image.layer->entry.root = image.map.pointer;
        image.layer->map.adopt(std::move(image.map));
    }
    for (const auto& id : unfinished_->released) volume_.merger_.release(id);
    unfinished_.reset();
}

io::Task<void> Checkpoints::write_superblock(std::uint32_t state, Stamp stamp) {
    const auto lock = co_await journal_lock_.acquire(journal_itself);
    co_await finish_commit();
    auto& journal = *volume_.journal_;
    auto superblock = journal.superblock();
    superblock.state = state;
    superblock.boot = volume_.options_.boot;
    superblock.epoch = stamp.epoch;
    superblock.generation = stamp.generation;
    superblock.unbroken_since = volume_.custody_.incarnation();
    auto layers = journal.layers();
    auto prepared = co_await journal.prepare(superblock, std::move(layers));
    unfinished_.emplace(Commit{std::move(prepared), {}, {}, false});
    co_await finish_commit();
}

io::Task<Checkpoints::Quiet> Checkpoints::quiet() {
    co_await flushing_.claim();
    auto outcome = co_await checkpointing_.claim().result();
    if (!outcome) flushing_.end({});
    co_await std::move(outcome);
    co_return Quiet{*this};
}

io::Task<Checkpoints::Change> Checkpoints::begin_change() {
    const auto lock = co_await journal_lock_.acquire(journal_itself);
    co_await finish_commit();
    auto now = capture();
    co_await store(now, volume_.journal_->sequence() + 1);
    co_return now;
}

io::Task<void> Checkpoints::prepare(Change change) {
    const auto lock = co_await journal_lock_.acquire(journal_itself);
    auto prepared = co_await volume_.journal_->prepare(change.superblock, std::move(change.layers));
    unfinished_.emplace(
        Commit{std::move(prepared), std::move(change.images), std::move(change.released), true});
}

// Until it succeeds a flush fails.
io::Task<void> Checkpoints::finish() {
    note_change();
    const auto lock = co_await journal_lock_.acquire(journal_itself);
    co_await finish_commit();
}

}  // namespace sheaf::volume

// Making things stable: content first, then the log's word that it is there; and checkpoints, which
// put into the map what the log has said.

#include "storage/volume/volume.h"

namespace sheaf::volume {

// What a flush tells the log, and what has to be undone should it fail.
struct Volume::Logged {
    struct Page {
        Pin pin;
        std::uint32_t entries;  // a bit each
    };
    LogBatch batch;
    std::vector<Page> pages;
    std::vector<std::uint32_t> freed;
};

namespace {

Failure again(const std::optional<Error>& error) {
    return Failure{Error{*error}};
}

}  // namespace

// One flush runs at a time; those who come meanwhile share the next.
io::Task<void> Volume::flush() {
    const auto target = changes_;
    while (flushed_ < target) {
        if (closed_) co_await again(closed_);
        const auto failures = flushing_.failures;
        if (!std::exchange(flushing_.running, true)) work_.start(flush_once());
        co_await flushing_.wait();
        if (flushing_.failures != failures) co_await again(flushing_.error);
    }
}

// The states that the log is told are those of now: what is written from here on may not be stable
// when the log is.
io::Task<void> Volume::flush_once() {
    const auto reached = changes_;
    auto logged = take_changes();
    auto outcome = co_await log_changes(logged).result();
    if (outcome) {
        flushed_ = reached;
        for (const auto slot : logged.freed) head().space->release(slot);
    } else {
        give_back(std::move(logged));
    }
    flushing_.end(std::move(outcome));
}

Volume::Logged Volume::take_changes() {
    Logged logged;
    logged.freed = std::exchange(freed_, {});
    for (auto* page : head().map.take_unlogged()) {
        logged.pages.push_back({Pin{*page}, std::exchange(page->unlogged, 0)});
        for (unsigned place = 0; place < chunks_per_page; ++place) {
            if ((logged.pages.back().entries >> place & 1) == 0) continue;
            const auto& entry = page->bytes.entries.at(place);
            logged.batch.add(ChunkRecord{
                .header = {static_cast<std::uint16_t>(RecordType::chunk), sizeof(ChunkRecord)},
                .layer = head().entry.number,
                .chunk = static_cast<std::uint32_t>(page->number * chunks_per_page + place),
                .slot = entry.has_data() ? entry.slot : no_slot,
                .states = entry.states,
                .file = entry.file,
                .reserved = 0});
        }
    }
    return logged;
}

io::Task<void> Volume::log_changes(Logged& logged) {
    co_await head().data.sync();
    if (logged.batch.empty()) co_return;
    {
        const auto lock = co_await journal_lock_.acquire({0, 1, RangeLock::Mode::exclusive});
        if (logged.batch.pages() <= journal_->pages_free()) {
            co_await journal_->append(logged.batch);
            co_return;
        }
    }
    // More than the log has room for: a checkpoint begun now says it all.
    co_await checkpoint();
}

void Volume::give_back(Logged logged) {
    freed_.insert(freed_.end(), logged.freed.begin(), logged.freed.end());
    for (auto& page : logged.pages) {
        if (page.pin->unlogged == 0) head().map.return_unlogged(*page.pin);
        page.pin->unlogged |= page.entries;
    }
}

void Volume::start_checkpoint() {
    if (!std::exchange(checkpointing_.running, true)) work_.start(checkpoint_once());
}

// One that is running may have begun before what the caller wants to see in it.
io::Task<void> Volume::checkpoint() {
    while (checkpointing_.running) co_await checkpointing_.wait();
    const auto failures = checkpointing_.failures;
    start_checkpoint();
    co_await checkpointing_.wait();
    if (checkpointing_.failures != failures) co_await again(checkpointing_.error);
}

io::Task<void> Volume::checkpoint_once() {
    auto outcome = co_await write_checkpoint().result();
    if (outcome) ++counters_.checkpoints;
    checkpointing_.end(std::move(outcome));
}

// The map as it is at one instant, and where the log goes on from that instant.
io::Task<void> Volume::write_checkpoint() {
    auto lock = std::optional{co_await journal_lock_.acquire({0, 1, RangeLock::Mode::exclusive})};
    co_await finish_commit();
    auto superblock = journal_->superblock();
    const auto position = journal_->position();
    superblock.log_first = position.next;
    superblock.log_previous = position.previous;
    superblock.log_incarnation = journal_->incarnation();
    auto image = head().map.capture();
    auto entry = head().entry;
    entry.slots_end = head().space->end();
    const auto sequence = journal_->sequence() + 1;
    lock.reset();

    co_await head().data.sync();
    co_await head().map.write(image, sequence);
    entry.root = image.pointer;

    lock.emplace(co_await journal_lock_.acquire({0, 1, RangeLock::Mode::exclusive}));
    auto layers = journal_->layers();
    for (auto& other : layers)
        if (other.number == entry.number) other = entry;
    auto prepared = co_await journal_->prepare(superblock, std::move(layers));
    unfinished_.emplace(Commit{std::move(prepared), std::move(image)});
    co_await finish_commit();
}

// A commit that failed may be on the disk or not. Until it has succeeded the homes that both states
// name are left alone: it is tried again before any other. The caller holds the journal's lock.
io::Task<void> Volume::finish_commit() {
    if (!unfinished_) co_return;
    co_await journal_->commit(unfinished_->prepared);
    if (unfinished_->image) {
        head().entry.root = unfinished_->image->pointer;
        head().map.adopt(*std::move(unfinished_->image));
    }
    unfinished_.reset();
}

}  // namespace sheaf::volume

// Opening a volume: what the last checkpoint says, what the log says since, and what a crash left.

#include "base/units.h"
#include "storage/volume/page.h"
#include "storage/volume/volume.h"

namespace sheaf::volume {

namespace {

// Since the volume was opened last.
bool host_still_runs(const Superblock& superblock, const Options& options) {
    if (broken(options.mutation, Mutation::told_trusted_after_power_cut)) return true;
    return options.boot != Id{} && superblock.boot == options.boot;
}

// Written by itself, a copy would differ from the others without anybody knowing.
Result<void> check_role(const Superblock& superblock, Role role) {
    if (role == Role::copy || !is_copy(superblock)) return {};
    return fail(Kind::conflict, "it is a copy of a replicated volume, which its engine alone uses");
}

}  // namespace

io::Task<void> Volume::recover(Files files) {
    auto first = co_await File::create(loop_, std::move(files.journal[0]));
    auto second = co_await File::create(loop_, std::move(files.journal[1]));
    auto intent = co_await File::create(loop_, std::move(files.intent));
    Journal::Files copies{std::move(first), std::move(second)};
    journal_ = co_await Journal::open(std::move(copies));
    const auto superblock = journal_->superblock();
    co_await check_role(superblock, options_.role);
    const auto regions = (superblock.size + region_size - 1) / region_size;
    const auto marks =
        superblock.state == state_closed ? Intents::Marks::none : Intents::Marks::on_disk;
    intents_ = co_await Intents::open(work_, std::move(intent), journal_->owner(), regions, marks);
    co_await layers_.take(std::move(files.layers), journal_->layers(), superblock);
    reader_.set_checksums(checksums() &&
                          !broken(options_.mutation, Mutation::checksums_not_looked_at));
    co_await replay();
    const auto crashed = superblock.state == state_in_use;
    if (crashed && !broken(options_.mutation, Mutation::marked_trusted_after_crash))
        for (auto region = intents_->next_marked(0); region < regions;
             region = intents_->next_marked(region + 1))
            untrusted_.insert(region);
    journal_->begin_incarnation();
    // What only one copy of the journal may still have is in both again before anything changes.
    if (crashed) co_await checkpoint();
    custody_.opened(superblock, journal_->incarnation());
    co_await stable_.write_superblock(state_in_use, custody_.stamp());
    opened_as_ = journal_->incarnation();
}

io::Task<void> Volume::replay() {
    storage::AlignedBuffer page{page_size};
    if (page.bytes().empty()) co_await fail(Kind::exhausted, "no memory for a log page");
    while (true) {
        const auto found = co_await journal_->replay(page.bytes());
        if (!found) break;
        RecordReader records{page.bytes()};
        while (true) {
            const auto record = co_await records.next();
            if (record.empty()) break;
            co_await apply(record);
            ++counters_.records_replayed;
        }
    }
}

io::Task<void> Volume::apply(std::span<const std::byte> record) {
    const auto header = load<RecordHeader>(record);
    const auto type = static_cast<RecordType>(header.type);
    const auto of_chunk = type == RecordType::chunk || type == RecordType::written_chunk;
    if (of_chunk && record.size() == sizeof(ChunkRecord)) {
        // What was only written counts where the host has kept it.
        if (type == RecordType::chunk || host_still_runs(journal_->superblock(), options_))
            co_await apply_chunk(load<ChunkRecord>(record));
    } else {
        co_await fail(Kind::unsupported, "a log record of type {} and {} bytes", header.type,
                      record.size());
    }
}

io::Task<void> Volume::apply_chunk(ChunkRecord record) {
    const auto chunks = align_up(journal_->superblock().size, chunk_size) / chunk_size;
    if (record.layer != head().entry.number || record.chunk >= chunks || record.file != 0)
        co_await fail(Kind::corrupt, "a log record of chunk {} in layer {}", record.chunk,
                      record.layer);
    auto page = co_await head().map.page(record.chunk / chunks_per_page);
    auto& entry = page->entry(record.chunk);
    if (entry.has_data()) --head().entry.slots_used;
    entry.states = record.states;
    entry.slot = record.slot;
    entry.file = record.file;
    head().map.changed_checksums(*page);
    if (!entry.has_data()) co_return;
    if (entry.slot >= head().space->room())
        co_await fail(Kind::corrupt, "a log record of data in slot {}, where the file ends at {}",
                      entry.slot, head().space->room());
    ++head().entry.slots_used;
    head().space->note_used(entry.slot);
}

}  // namespace sheaf::volume

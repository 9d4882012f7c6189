// Opening a volume: what the last checkpoint says, what the log says since, and what a crash left.

#include <algorithm>

#include "base/units.h"
#include "storage/volume/page.h"
#include "storage/volume/volume.h"

namespace sheaf::volume {

io::Task<void> Volume::recover(Files files) {
    auto first = co_await File::create(loop_, std::move(files.journal[0]));
    auto second = co_await File::create(loop_, std::move(files.journal[1]));
    auto intent = co_await File::create(loop_, std::move(files.intent));
    Journal::Files copies{std::move(first), std::move(second)};
    journal_ = co_await Journal::open(std::move(copies));
    const auto superblock = journal_->superblock();
    const auto regions = (superblock.size + region_size - 1) / region_size;
    intents_ = co_await Intents::open(work_, std::move(intent), journal_->owner(), regions,
                                      Intents::Content::kept);
    co_await take_layers(std::move(files.layers));
    co_await replay();
    if (superblock.state != state_closed)
        for (auto region = intents_->next_marked(0); region < regions;
             region = intents_->next_marked(region + 1))
            untrusted_.insert(region);
    journal_->begin_incarnation();
    // What only one copy of the journal may still have is in both again before anything changes.
    if (superblock.state != state_closed) co_await checkpoint();
    co_await write_superblock(state_in_use);
}

// The files that were opened belong to the layers that the table names.
Result<void> Volume::take_layers(std::vector<LayerFiles> files) {
    for (const auto& entry : journal_->layers()) {
        const auto found = std::ranges::find(files, entry.id, &LayerFiles::id);
        if (found == files.end())
            return fail(Kind::not_found, "layer {} of the volume is missing", entry.number);
        auto map = TRY(File::create(loop_, std::move(found->map)));
        auto data = TRY(File::create(loop_, std::move(found->data)));
        auto layer = std::make_unique<Layer>(entry, std::move(map), std::move(data),
                                             options_.most_clean_pages);
        if (entry.number == journal_->superblock().head) {
            const auto room = std::min<std::uint64_t>(found->data_size / chunk_size, no_slot);
            layer->space =
                std::make_unique<SlotSpace>(work_, layer->data, options_.growth, entry.slots_end,
                                            static_cast<std::uint32_t>(room));
            head_ = layer.get();
        }
        layers_.push_back(std::move(layer));
    }
    if (!head_) return fail(Kind::corrupt, "the volume's head is not among its layers");
    for (const auto& layer : layers_) {
        if (layer->entry.parent == 0) continue;
        const auto parent = std::ranges::find_if(
            layers_, [&](const auto& other) { return other->entry.number == layer->entry.parent; });
        // Parents are older, which also rules out circles.
        if (parent == layers_.end() || layer->entry.parent >= layer->entry.number)
            return fail(Kind::corrupt, "layer {} has no parent {}", layer->entry.number,
                        layer->entry.parent);
        layer->parent = parent->get();
    }
    return {};
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
    if (type == RecordType::chunk && record.size() == sizeof(ChunkRecord)) {
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

// Slots below the end that no chunk has. Those that became free since the volume was opened are
// known already.
io::Task<void> Volume::find_free_slots() {
    known_slots_.assign(head().space->end(), false);
    const auto chunks = align_up(journal_->superblock().size, chunk_size) / chunk_size;
    const auto pages = (chunks + chunks_per_page - 1) / chunks_per_page;
    for (std::uint64_t number = 0; number < pages; ++number) {
        number = co_await head().map.next_present(number, pages);
        if (number == pages) break;
        const auto page = co_await head().map.page(number);
        for (unsigned chunk = 0; chunk < chunks_per_page; ++chunk) {
            const auto& entry = page->bytes.entries.at(chunk);
            if (entry.has_data() && entry.slot < known_slots_.size())
                known_slots_[entry.slot] = true;
            const auto reserved = page->writers.at(chunk) > 0 ? page->reserved.at(chunk) : no_slot;
            if (reserved < known_slots_.size()) known_slots_[reserved] = true;
        }
    }
    const auto known = std::exchange(known_slots_, {});
    for (std::size_t slot = 0; slot < known.size(); ++slot)
        if (!known[slot]) head().space->release(static_cast<std::uint32_t>(slot));
}

}  // namespace sheaf::volume

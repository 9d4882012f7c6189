#include "storage/volume/volume.h"

#include "base/units.h"
#include "storage/vectors.h"

namespace sheaf::volume {

namespace {

constexpr std::uint32_t most_log_pages = 1 << 20;
constexpr std::uint32_t first_layer = 1;

std::uint64_t regions_of(std::uint64_t size) {
    return (size + region_size - 1) / region_size;
}

Result<void> check(const Shape& shape, const Files& files) {
    if (shape.size == 0 || shape.size % block_size != 0)
        return fail(Kind::invalid, "a volume of {} bytes: the size is a multiple of {}, not 0",
                    shape.size, block_size);
    if (shape.size > most_bytes)
        return fail(Kind::invalid, "a volume of {} bytes: the largest has {}", shape.size,
                    most_bytes);
    if (shape.log_pages < 4 || shape.log_pages > most_log_pages)
        return fail(Kind::invalid, "a log of {} pages", shape.log_pages);
    if (files.layers.empty()) return fail(Kind::invalid, "a new volume has a head");
    if (!shape.base.empty() && shape.base.back().size > shape.size)
        return fail(Kind::invalid, "a volume of {} bytes over a snapshot of {}", shape.size,
                    shape.base.back().size);
    return {};
}

// The layers of the base get numbers of their own; under whatever name and state they were frozen,
// here they are the base.
std::vector<LayerEntry> first_layers(const Shape& shape) {
    std::vector<LayerEntry> layers;
    for (auto entry : shape.base) {
        entry.number = static_cast<std::uint32_t>(layers.size()) + first_layer;
        entry.parent = entry.number - first_layer;
        entry.flags = layer_frozen | layer_base | (entry.flags & layer_sealed);
        entry.name = {};
        layers.push_back(entry);
    }
    LayerEntry head{};
    head.number = static_cast<std::uint32_t>(layers.size()) + first_layer;
    head.parent = head.number - first_layer;
    head.id = shape.head;
    layers.push_back(head);
    return layers;
}

Superblock first_superblock(const Shape& shape) {
    const auto head = static_cast<std::uint32_t>(shape.base.size()) + first_layer;
    return {.size = shape.size,
            .block_size = static_cast<std::uint32_t>(block_size),
            .chunk_size = static_cast<std::uint32_t>(chunk_size),
            .region_size = static_cast<std::uint32_t>(region_size),
            .features = (shape.checksums == Checksums::on ? feature_checksums : 0) |
                        (shape.role == Role::copy ? feature_copy : 0),
            .incarnation = 1,
            .state = state_closed,
            .log_pages = shape.log_pages,
            .log_first = 1,
            .log_previous = 0,
            .head = head,
            .layers = head,
            .next_layer = head + 1,
            .table_offset = 0,
            .table_length = 0,
            .table_checksum = 0,
            .epoch = 0,
            .generation = 0,
            .boot = {},
            .log_incarnation = 1,
            .unbroken_since = 0};
}

}  // namespace

io::Task<void> Volume::create(io::Loop& loop, Files files, Shape shape) {
    co_await check(shape, files);
    auto first = co_await File::create(loop, std::move(files.journal[0]));
    auto second = co_await File::create(loop, std::move(files.journal[1]));
    auto intent = co_await File::create(loop, std::move(files.intent));
    co_await Intents::create(std::move(intent), shape.id, regions_of(shape.size));
    const auto superblock = first_superblock(shape);
    Journal::Files copies{std::move(first), std::move(second)};
    auto journal = Journal::create(std::move(copies), shape.id, superblock);
    auto layers = first_layers(shape);
    const auto prepared = co_await journal->prepare(superblock, std::move(layers));
    co_await journal->commit(prepared);
}

io::Task<std::unique_ptr<Volume>> Volume::open(io::Loop& loop, Files files, LayerStore& store,
                                               Options options) {
    auto volume = std::unique_ptr<Volume>{new Volume{loop, store, options}};
    auto outcome = co_await volume->recover(std::move(files)).result();
    if (!outcome) {
        co_await volume->abandon();
        co_await std::move(outcome);
    }
    volume->background_.start(volume->upkeep_.run());
    volume->background_.start(volume->merger_.run());
    co_return volume;
}

io::Task<void> Volume::abandon() {
    background_.cancel();
    work_.cancel();
    // What the tasks were told on the way out is of no interest any more.
    const auto background = co_await background_.join().result();
    const auto work = co_await work_.join().result();
    closed_ = Error{Kind::unavailable, "the volume is closed"};
}

io::Task<void> Volume::shut_down() {
    background_.cancel();
    const auto background = co_await background_.join().result();
    auto outcome = co_await settle().result();
    co_await abandon();
    co_await std::move(outcome);
}

// With all content and checksums stable no mark is needed, but for those that say where copies may
// differ. Regions whose checksums are wrong keep theirs, and the volume is then not called clean.
io::Task<void> Volume::settle() {
    co_await flush();
    co_await checkpoint();
    for (auto region = intents_->next_marked(0); region < intents_->regions();
         region = intents_->next_marked(region + 1))
        if (!untrusted_.contains(region) && !custody_.holds(region)) intents_->clear(region);
    co_await intents_->settle();
    const auto state = intents_->count() > 0 ? state_closed_with_marks : state_closed;
    if (untrusted_.empty()) co_await stable_.write_superblock(state, custody_.stamp());
}

// What was dropped from the stack is kept until nobody may be using it.
void Volume::forget_unused() {
    if (stable_.idle()) layers_.forget_unused(blocks_);
}

io::Task<void> Volume::read(std::uint64_t offset, std::span<const iovec> vectors) {
    co_await check_range(offset, storage::length_of(vectors));
    co_await reader_.read_bytes(nullptr, offset, vectors);
}

io::Task<std::vector<storage::Extent>> Volume::extents(std::uint64_t offset, std::uint64_t length,
                                                       std::size_t most) {
    co_await check_range(offset, length);
    auto found = co_await reader_.extents(nullptr, offset, length, most);
    co_return found;
}

io::Task<void> Volume::delete_snapshot(std::string name) {
    return restacking_.delete_snapshot(std::move(name));
}

storage::Geometry Volume::geometry() const {
    return {.size = journal_->superblock().size,
            .block_size = 512,
            .preferred_block_size = static_cast<std::uint32_t>(block_size),
            .discard_granularity = static_cast<std::uint32_t>(block_size),
            .read_only = false};
}

Result<void> check_range(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
    const auto end = checked_add(offset, length);
    if ((offset | length) % 512 != 0)
        return fail(Kind::invalid, "{} bytes at {} are not whole sectors", length, offset);
    if (!end || *end > size)
        return fail(Kind::invalid, "{} bytes at {} reach beyond the end at {}", length, offset,
                    size);
    return {};
}

Result<void> Volume::check_range(std::uint64_t offset, std::uint64_t length) const {
    return volume::check_range(offset, length, journal_->superblock().size);
}

}  // namespace sheaf::volume

#include "storage/volume/volume.h"

#include "base/units.h"

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
    if (files.layers.size() != 1) return fail(Kind::invalid, "a new volume has one layer");
    return {};
}

Superblock first_superblock(const Shape& shape) {
    return {.size = shape.size,
            .block_size = static_cast<std::uint32_t>(block_size),
            .chunk_size = static_cast<std::uint32_t>(chunk_size),
            .region_size = static_cast<std::uint32_t>(region_size),
            .features = shape.checksums == Checksums::on ? feature_checksums : 0,
            .incarnation = 1,
            .state = state_closed,
            .log_pages = shape.log_pages,
            .log_first = 1,
            .log_previous = 0,
            .head = first_layer,
            .layers = 1,
            .next_layer = first_layer + 1,
            .table_offset = 0,
            .table_length = 0,
            .table_checksum = 0,
            .epoch = 0,
            .generation = 0,
            .boot = {},
            .log_incarnation = 1};
}

}  // namespace

io::Task<void> Volume::create(io::Loop& loop, Files files, Shape shape) {
    co_await check(shape, files);
    auto first = co_await File::create(loop, std::move(files.journal[0]));
    auto second = co_await File::create(loop, std::move(files.journal[1]));
    auto intent = co_await File::create(loop, std::move(files.intent));
    io::TaskGroup work;
    const auto regions = regions_of(shape.size);
    auto intents =
        co_await Intents::open(work, std::move(intent), shape.id, regions, Intents::Content::fresh);
    auto settled = co_await intents->settle().result();
    co_await work.join();
    co_await std::move(settled);
    const auto superblock = first_superblock(shape);
    Journal::Files copies{std::move(first), std::move(second)};
    auto journal = Journal::create(std::move(copies), shape.id, superblock);
    LayerEntry head{};
    head.number = first_layer;
    head.id = shape.head;
    std::vector<LayerEntry> layers{head};
    const auto prepared = co_await journal->prepare(superblock, std::move(layers));
    co_await journal->commit(prepared);
}

io::Task<std::unique_ptr<Volume>> Volume::open(io::Loop& loop, Files files, Options options) {
    auto volume = std::unique_ptr<Volume>{new Volume{loop, options}};
    auto outcome = co_await volume->recover(std::move(files)).result();
    if (!outcome) {
        co_await volume->abandon();
        co_await std::move(outcome);
    }
    volume->upkeep_.start(volume->keep_up());
    co_return volume;
}

io::Task<void> Volume::abandon() {
    upkeep_.cancel();
    work_.cancel();
    // What the tasks were told on the way out is of no interest any more.
    const auto upkeep = co_await upkeep_.join().result();
    const auto work = co_await work_.join().result();
    closed_ = Error{Kind::unavailable, "the volume is closed"};
}

io::Task<void> Volume::shut_down() {
    upkeep_.cancel();
    const auto upkeep = co_await upkeep_.join().result();
    auto outcome = co_await settle().result();
    co_await abandon();
    co_await std::move(outcome);
}

// With all content and checksums stable no mark is needed. Regions whose checksums are wrong keep
// theirs, and the volume is then not called clean.
io::Task<void> Volume::settle() {
    co_await flush();
    co_await checkpoint();
    for (auto region = intents_->next_marked(0); region < intents_->regions();
         region = intents_->next_marked(region + 1))
        if (!untrusted_.contains(region)) intents_->clear(region);
    co_await intents_->settle();
    if (untrusted_.empty()) co_await write_superblock(state_closed);
}

// The superblock again, with another state; the log goes on.
io::Task<void> Volume::write_superblock(std::uint32_t state) {
    const auto lock = co_await journal_lock_.acquire({0, 1, RangeLock::Mode::exclusive});
    co_await finish_commit();
    auto superblock = journal_->superblock();
    superblock.state = state;
    auto layers = journal_->layers();
    auto prepared = co_await journal_->prepare(superblock, std::move(layers));
    unfinished_.emplace(Commit{std::move(prepared), {}});
    co_await finish_commit();
}

storage::Geometry Volume::geometry() const {
    return {.size = journal_->superblock().size,
            .block_size = 512,
            .preferred_block_size = static_cast<std::uint32_t>(block_size),
            .discard_granularity = static_cast<std::uint32_t>(block_size),
            .read_only = false};
}

Result<void> Volume::check_range(std::uint64_t offset, std::uint64_t length) const {
    const auto size = journal_->superblock().size;
    const auto end = checked_add(offset, length);
    if ((offset | length) % 512 != 0)
        return fail(Kind::invalid, "{} bytes at {} are not whole sectors", length, offset);
    if (!end || *end > size)
        return fail(Kind::invalid, "{} bytes at {} reach beyond the end at {}", length, offset,
                    size);
    return {};
}

}  // namespace sheaf::volume

#include "storage/volume/journal.h"

#include <algorithm>

#include "base/units.h"
#include "io/task_group.h"
#include "storage/volume/page.h"

namespace sheaf::volume {

namespace {

constexpr std::uint64_t first_log_page = 2;
constexpr std::uint64_t smallest_table = 16;  // pages
constexpr std::uint32_t known_features = feature_checksums | feature_copy;
constexpr std::uint32_t most_layers = 1 << 16;
constexpr std::size_t first_entry = 256;  // of the table

std::uint64_t table_length(std::size_t layers) {
    return align_up<std::uint64_t>(first_entry + layers * sizeof(LayerEntry), page_size);
}

Failure no_memory() {
    return fail(Kind::exhausted, "no memory for metadata");
}

}  // namespace

Result<void> check(const Superblock& superblock) {
    if ((superblock.features & ~known_features) != 0)
        return fail(Kind::unsupported, "the volume has features {:#x} that this program lacks",
                    superblock.features & ~known_features);
    if (superblock.block_size != block_size || superblock.chunk_size != chunk_size ||
        superblock.region_size != region_size)
        return fail(Kind::unsupported, "blocks of {}, chunks of {} and regions of {} bytes",
                    superblock.block_size, superblock.chunk_size, superblock.region_size);
    const auto sound = superblock.size > 0 && superblock.size <= most_bytes &&
                       superblock.size % block_size == 0 && superblock.log_pages >= 4 &&
                       superblock.log_pages <= 1 << 20 && superblock.layers <= most_layers &&
                       superblock.layers > 0 &&
                       superblock.table_length == table_length(superblock.layers) &&
                       superblock.table_offset % page_size == 0;
    if (!sound) return fail(Kind::corrupt, "the superblock's numbers make no sense");
    return {};
}

std::unique_ptr<Journal> Journal::create(Files files, const Id& owner,
                                         const Superblock& superblock) {
    auto journal = std::unique_ptr<Journal>{new Journal{std::move(files)}};
    journal->owner_ = owner;
    journal->superblock_ = superblock;
    journal->position_ = {superblock.log_first, superblock.log_previous};
    journal->incarnation_ = superblock.incarnation;
    return journal;
}

struct Journal::Found {
    bool any = false;
    PageHeader header{};
    Superblock superblock{};
    Error last{Kind::corrupt, "there is no superblock"};
};

io::Task<void> Journal::look_for_superblock(File& file, Found& best) {
    storage::AlignedBuffer buffer{page_size};
    if (buffer.bytes().empty()) co_await no_memory();
    for (std::uint64_t home = 0; home < 2; ++home) {
        auto outcome = co_await file.read(buffer.bytes(), home * page_size).result();
        if (!outcome) {
            best.last = std::move(outcome).error();
            continue;
        }
        const auto owner = load<PageHeader>(buffer.bytes()).owner;
        auto header = check(buffer.bytes(), {PageKind::superblock, owner, 0});
        if (!header) {
            best.last = std::move(header).error();
            continue;
        }
        if (best.any && best.header.owner != owner)
            co_await fail(Kind::corrupt, "the journal's two copies are of different volumes");
        if (best.any && best.header.sequence >= header->sequence) continue;
        best.any = true;
        best.header = *header;
        best.superblock = load<Superblock>(buffer.bytes().subspan(sizeof(PageHeader)));
    }
}

io::Task<std::unique_ptr<Journal>> Journal::open(Files files) {
    Found best;
    for (auto& file : files) co_await look_for_superblock(file, best);
    if (!best.any) co_await Failure{std::move(best.last)};
    co_await check(best.superblock);
    auto journal = std::unique_ptr<Journal>{new Journal{std::move(files)}};
    journal->owner_ = best.header.owner;
    journal->sequence_ = best.header.sequence;
    journal->superblock_ = best.superblock;
    journal->position_ = {best.superblock.log_first, best.superblock.log_previous};
    journal->incarnation_ = best.superblock.log_incarnation;
    co_await journal->read_table();
    co_return journal;
}

io::Task<void> Journal::read_table() {
    storage::AlignedBuffer buffer{superblock_.table_length};
    if (buffer.bytes().empty()) co_await no_memory();
    Error last{Kind::corrupt, ""};
    for (auto& file : files_) {
        auto outcome = co_await file.read(buffer.bytes(), superblock_.table_offset).result();
        auto header = outcome ? check(buffer.bytes(), {PageKind::table, owner_, 0})
                              : Result<PageHeader>{Failure{outcome.error()}};
        if (header && header->checksum == superblock_.table_checksum) {
            for (std::uint32_t i = 0; i < superblock_.layers; ++i)
                layers_.push_back(
                    load<LayerEntry>(buffer.bytes().subspan(first_entry + i * sizeof(LayerEntry))));
            co_return;
        }
        last = header ? Error{Kind::corrupt, "the table of layers is an old one"}
                      : std::move(header).error();
    }
    co_await Failure{std::move(last)};
}

// The next page of the log in one copy, as a candidate: whether it is one, and its incarnation.
io::Task<std::optional<Journal::Page>> Journal::read_log_page(unsigned copy,
                                                              std::span<std::byte> page) {
    const auto place = first_log_page + position_.next % superblock_.log_pages;
    const auto outcome = co_await files_.at(copy).read(page, place * page_size).result();
    if (!outcome) co_return std::nullopt;
    const auto header = check(page, {PageKind::log, owner_, position_.next});
    if (!header || header->sequence != position_.next) co_return std::nullopt;
    const auto log = load<LogHeader>(page.subspan(sizeof(PageHeader)));
    if (log.previous != position_.previous || log.incarnation < incarnation_)
        co_return std::nullopt;
    co_return Page{header->checksum, log.incarnation};
}

// Where an append failed and was done again, one copy may still have what failed.
io::Task<bool> Journal::replay(std::span<std::byte> page) {
    if (pages_free() == 0) co_return false;
    storage::AlignedBuffer other{page_size};
    if (other.bytes().empty()) co_await no_memory();
    auto found = co_await read_log_page(0, page);
    const auto second = co_await read_log_page(1, other.bytes());
    if (second && (!found || second->incarnation > found->incarnation)) {
        std::ranges::copy(other.bytes(), page.begin());
        found = second;
    }
    if (!found) co_return false;
    incarnation_ = found->incarnation;
    position_ = {position_.next + 1, found->checksum};
    co_return true;
}

void Journal::begin_incarnation() {
    incarnation_ = std::max(incarnation_, superblock_.incarnation) + 1;
}

io::Task<void> Journal::append(const LogBatch& batch, Reach reach) {
    const auto pages = batch.pages();
    if (pages > pages_free()) co_await fail(Kind::exhausted, "the metadata log is full");
    storage::AlignedBuffer buffer{pages * page_size};
    if (buffer.bytes().empty()) co_await no_memory();
    const auto last = batch.write(buffer.bytes(), {.owner = owner_,
                                                   .sequence = position_.next,
                                                   .previous = position_.previous,
                                                   .incarnation = incarnation_});
    auto outcome = co_await write_log(buffer.bytes(), reach).result();
    // What arrived of pages that failed must not be taken for the ones written there instead, or
    // for part of a log that a later checkpoint begins.
    if (!outcome) ++incarnation_;
    co_await std::move(outcome);
    position_ = {position_.next + pages, last};
}

io::Task<void> Journal::write_log(std::span<const std::byte> pages, Reach reach) {
    const auto place = position_.next % superblock_.log_pages;
    const auto room = (superblock_.log_pages - place) * page_size;
    const auto before_wrap = std::min<std::uint64_t>(pages.size(), room);
    co_await write_both(pages.first(before_wrap), (first_log_page + place) * page_size);
    if (before_wrap < pages.size())
        co_await write_both(pages.subspan(before_wrap), first_log_page * page_size);
    if (reach == Reach::stable) co_await sync_both();
}

// Areas for tables of up to 16 pages, then of up to 32, ..., each with two homes.
std::uint64_t Journal::table_offset(std::uint64_t length, std::uint64_t sequence) const {
    auto area = first_log_page + superblock_.log_pages;
    auto capacity = smallest_table;
    for (; capacity * page_size < length; capacity *= 2) area += 2 * capacity;
    return (area + sequence % 2 * capacity) * page_size;
}

io::Task<Journal::Prepared> Journal::prepare(Superblock superblock,
                                             std::vector<LayerEntry> layers) {
    const auto sequence = sequence_ + 1;
    const auto length = table_length(layers.size());
    storage::AlignedBuffer table{length};
    if (table.bytes().empty()) co_await no_memory();
    std::ranges::fill(table.bytes(), std::byte{0});
    for (std::size_t i = 0; i < layers.size(); ++i)
        store(table.bytes().subspan(first_entry + i * sizeof(LayerEntry)), layers[i]);
    superblock.incarnation = incarnation_;
    superblock.layers = static_cast<std::uint32_t>(layers.size());
    superblock.table_offset = table_offset(length, sequence);
    superblock.table_length = static_cast<std::uint32_t>(length);
    superblock.table_checksum = seal(table.bytes(), {PageKind::table, owner_, 0}, sequence);
    co_await write_both(table.bytes(), superblock.table_offset);
    co_await sync_both();
    co_await verify(table.bytes(), superblock.table_offset);
    Prepared prepared{superblock, std::move(layers)};
    co_return prepared;
}

io::Task<void> Journal::commit(const Prepared& prepared) {
    const auto sequence = sequence_ + 1;
    storage::AlignedBuffer page{page_size};
    if (page.bytes().empty()) co_await no_memory();
    std::ranges::fill(page.bytes(), std::byte{0});
    store(page.bytes().subspan(sizeof(PageHeader)), prepared.superblock);
    seal(page.bytes(), {PageKind::superblock, owner_, 0}, sequence);
    co_await write_both(page.bytes(), sequence % 2 * page_size);
    co_await sync_both();
    co_await verify(page.bytes(), sequence % 2 * page_size);
    sequence_ = sequence;
    superblock_ = prepared.superblock;
    layers_ = prepared.layers;
}

io::Task<void> Journal::write_both(std::span<const std::byte> bytes, std::uint64_t offset) {
    io::TaskGroup group;
    for (auto& file : files_) group.start(file.write(bytes, offset));
    co_await group.join();
}

io::Task<void> Journal::sync_both() {
    io::TaskGroup group;
    for (auto& file : files_) group.start(file.sync());
    co_await group.join();
}

io::Task<void> Journal::verify(std::span<const std::byte> bytes, std::uint64_t offset) {
    storage::AlignedBuffer again{bytes.size()};
    if (again.bytes().empty()) co_await no_memory();
    for (auto& file : files_) {
        const auto outcome = co_await file.read(again.bytes(), offset).result();
        if (outcome && std::ranges::equal(bytes, again.bytes())) co_return;
    }
    co_await fail(Kind::io, "metadata written at {} does not read back", offset);
}

}  // namespace sheaf::volume

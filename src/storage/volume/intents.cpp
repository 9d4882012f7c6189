#include "storage/volume/intents.h"

#include <algorithm>
#include <bit>

#include "storage/aligned_buffer.h"
#include "storage/volume/page.h"

namespace sheaf::volume {

namespace {

constexpr std::uint64_t most_loaded = 64;  // pages at once
constexpr std::size_t bytes_per_page = page_size - sizeof(PageHeader);

bool bit(const std::vector<std::uint8_t>& bits, std::uint64_t number) {
    return !bits.empty() && (bits[number / 8] >> (number % 8) & 1) != 0;
}
void set_bit(std::vector<std::uint8_t>& bits, std::uint64_t number) {
    bits.resize(bytes_per_page);
    bits[number / 8] |= static_cast<std::uint8_t>(1U << (number % 8));
}
void clear_bit(std::vector<std::uint8_t>& bits, std::uint64_t number) {
    bits[number / 8] &= static_cast<std::uint8_t>(~(1U << (number % 8)));
}

Failure no_memory() {
    return fail(Kind::exhausted, "no memory for an intents page");
}

std::uint64_t pages_for(std::uint64_t regions) {
    return (regions + regions_per_page - 1) / regions_per_page;
}

}  // namespace

std::uint64_t Intents::file_size(std::uint64_t regions) {
    return pages_for(regions) * 2 * page_size;
}

// The first version of a page is in its second home.
io::Task<void> Intents::create(File file, Id owner, std::uint64_t regions) {
    storage::AlignedBuffer buffer{file_size(regions)};
    if (buffer.bytes().empty()) co_await no_memory();
    std::ranges::fill(buffer.bytes(), std::byte{0});
    for (std::uint64_t number = 0; number < pages_for(regions); ++number)
        seal(buffer.bytes().subspan((2 * number + 1) * page_size, page_size),
             {PageKind::intents, owner, number}, 1);
    co_await file.write(buffer.bytes(), 0);
    co_await file.sync();
}

io::Task<std::unique_ptr<Intents>> Intents::open(io::TaskGroup& work, File file, Id owner,
                                                 std::uint64_t regions, Marks marks) {
    auto intents = std::unique_ptr<Intents>{new Intents{work, std::move(file), owner}};
    intents->regions_ = regions;
    intents->pages_.resize(pages_for(regions));
    if (marks == Marks::none) co_return intents;
    co_await intents->load();
    // A process that was killed may have left a version that is there, but not stable yet.
    co_await intents->file_.sync();
    co_return intents;
}

void Intents::resize(std::uint64_t regions) {
    regions_ = regions;
    while (pages_.size() < pages_for(regions)) {
        auto& page = pages_.emplace_back();
        page.known = true;
        page.changed = true;  // also that nothing is marked has to be said once
    }
}

io::Task<void> Intents::load() {
    for (std::uint64_t first = 0; first < pages_.size(); first += most_loaded) {
        const auto count = std::min<std::uint64_t>(most_loaded, pages_.size() - first);
        storage::AlignedBuffer buffer{count * 2 * page_size};
        if (buffer.bytes().empty()) co_await no_memory();
        co_await read_versions(first, buffer.bytes());
        for (std::uint64_t i = 0; i < count; ++i)
            take_marks(first + i, buffer.bytes().subspan(2 * i * page_size, 2 * page_size));
    }
}

// Where they cannot be read together, each alone; zeros, which are not sound, where it cannot be.
io::Task<void> Intents::read_versions(std::uint64_t first, std::span<std::byte> into) {
    const auto place = 2 * first * page_size;
    const auto together = co_await file_.read(into, place).result();
    for (std::size_t at = 0; at < into.size() && !together; at += page_size) {
        const auto version = into.subspan(at, page_size);
        const auto outcome = co_await file_.read(version, place + at).result();
        if (!outcome) std::ranges::fill(version, std::byte{0});
    }
}

// The newer of two sound versions counts. Whether there is one.
bool Intents::take_newest(std::uint64_t number, std::span<const std::byte> versions) {
    auto& page = pages_[number];
    page.known = true;
    auto sound = false;
    for (std::size_t home = 0; home < 2; ++home) {
        const auto version = versions.subspan(home * page_size, page_size);
        const auto header = check(version, {PageKind::intents, owner_, number});
        if (!header || (sound && header->sequence < page.sequence)) continue;
        sound = true;
        page.sequence = header->sequence;
        const auto bits = version.subspan(sizeof(PageHeader));
        std::ranges::transform(bits, page.certain.begin(),
                               [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
    }
    return sound;
}

// Where a write was torn the older version counts: the marks that it lacks were never relied on.
// Where there is none, anything may have been marked.
void Intents::take_marks(std::uint64_t number, std::span<const std::byte> versions) {
    auto& page = pages_[number];
    page.certain.resize(bytes_per_page);
    const auto sound = take_newest(number, versions);
    page.wanted = page.certain;
    if (!sound) std::ranges::fill(page.wanted, std::uint8_t{0xff});
    const auto first = number * regions_per_page;
    for (auto local = std::min(regions_ - first, regions_per_page); local < regions_per_page;
         ++local)
        clear_bit(page.wanted, local);
    if (sound) page.certain = page.wanted;
    page.changed = !sound;
    for (const auto byte : page.wanted) count_ += static_cast<unsigned>(std::popcount(byte));
}

// Of a page of which no mark counts.
io::Task<void> Intents::learn_sequence(std::uint64_t number) {
    storage::AlignedBuffer versions{2 * page_size};
    if (versions.bytes().empty()) co_await no_memory();
    co_await read_versions(number, versions.bytes());
    auto& page = pages_[number];
    page.certain.resize(bytes_per_page);
    take_newest(number, versions.bytes());
    std::ranges::fill(page.certain, std::uint8_t{0});
}

bool Intents::marked(std::uint64_t region) const {
    return bit(pages_[region / regions_per_page].wanted, region % regions_per_page);
}

bool Intents::stable(std::uint64_t region) const {
    const auto& page = pages_[region / regions_per_page];
    return bit(page.wanted, region % regions_per_page) &&
           bit(page.certain, region % regions_per_page);
}

bool Intents::all_stable(std::uint64_t first, std::uint64_t end) const {
    for (auto region = first; region < end; ++region)
        if (!stable(region)) return false;
    return true;
}

std::uint64_t Intents::next_marked(std::uint64_t region) const {
    for (; region < regions_; ++region) {
        const auto& wanted = pages_[region / regions_per_page].wanted;
        const auto local = region % regions_per_page;
        if (bit(wanted, local)) return region;
        if (wanted.empty()) region += regions_per_page - 1 - local;
        if (!wanted.empty() && local % 8 == 0 && wanted[local / 8] == 0) region += 7;
    }
    return regions_;
}

void Intents::mark_ahead(std::uint64_t first, std::uint64_t end) {
    for (auto region = first; region < end; ++region) {
        auto& page = pages_[region / regions_per_page];
        if (bit(page.wanted, region % regions_per_page)) continue;
        set_bit(page.wanted, region % regions_per_page);
        page.changed = true;
        ++count_;
    }
}

io::Task<void> Intents::mark(std::uint64_t first, std::uint64_t end) {
    mark_ahead(first, end);
    while (!all_stable(first, end)) {
        const auto failures = failures_;
        for (auto region = first; region < end; ++region)
            if (!stable(region)) start_writing(region / regions_per_page);
        co_await written_.wait();
        if (failures_ != failures && !all_stable(first, end)) {
            Failure failure{Error{*last_failure_}.within("marking a region")};
            co_await std::move(failure);
        }
    }
}

void Intents::clear(std::uint64_t region) {
    auto& page = pages_[region / regions_per_page];
    if (!bit(page.wanted, region % regions_per_page)) return;
    clear_bit(page.wanted, region % regions_per_page);
    page.changed = true;
    --count_;
    start_writing(region / regions_per_page);
}

io::Task<void> Intents::settle(std::uint64_t first) {
    for (auto number = pages_for(first); number < pages_.size(); ++number)
        if (pages_[number].changed) start_writing(number);
    for (auto number = pages_for(first); number < pages_.size(); ++number) {
        while (pages_[number].changed || pages_[number].writing) {
            const auto failures = failures_;
            start_writing(number);
            co_await written_.wait();
            if (failures_ != failures && pages_[number].changed) {
                Failure failure{Error{*last_failure_}.within("writing marks")};
                co_await std::move(failure);
            }
        }
    }
}

void Intents::start_writing(std::uint64_t number) {
    if (pages_[number].writing) return;
    pages_[number].writing = true;
    work_.start(write(number));
}

// Writes until nothing has changed meanwhile, or it fails; whoever needs it starts it again. What
// waits is woken last: it may start the next write.
io::Task<void> Intents::write(std::uint64_t number) {
    auto& page = pages_[number];
    auto outcome = Result<void>{};
    do {
        outcome = co_await write_once(number).result();
    } while (outcome && (page.sequence == 1 || (page.changed && written_.empty())));
    page.writing = false;
    if (!outcome) {
        page.changed = true;
        ++failures_;
        last_failure_ = std::move(outcome).error();
    }
    written_.wake();
}

// Until the write has succeeded the disk may hold what was there before, or this.
io::Task<void> Intents::write_once(std::uint64_t number) {
    auto& page = pages_[number];
    if (!page.known) co_await learn_sequence(number);
    storage::AlignedBuffer buffer{page_size};
    if (buffer.bytes().empty()) co_await no_memory();
    page.wanted.resize(bytes_per_page);
    page.certain.resize(bytes_per_page);
    const auto image = page.wanted;
    page.changed = false;
    std::ranges::transform(page.certain, image, page.certain.begin(),
                           [](std::uint8_t before, std::uint8_t now) { return before & now; });
    std::ranges::copy(std::as_bytes(std::span{image}),
                      buffer.bytes().subspan(sizeof(PageHeader)).begin());
    const auto sequence = page.sequence + 1;
    seal(buffer.bytes(), {PageKind::intents, owner_, number}, sequence);
    co_await file_.write(buffer.bytes(), (2 * number + sequence % 2) * page_size);
    co_await file_.sync();
    page.sequence = sequence;
    // The first version has no sound one before it: what is in the other home may be an old one
    // that could not be read when it was looked for, until the second version is written over it.
    if (sequence > 1) page.certain = image;
}

}  // namespace sheaf::volume

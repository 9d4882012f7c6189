#include "storage/volume/layer_map.h"

#include <algorithm>

#include "io/task_group.h"
#include "storage/aligned_buffer.h"
#include "storage/volume/map_geometry.h"
#include "storage/volume/page.h"

namespace sheaf::volume {

namespace {

constexpr std::size_t writes_at_once = 32;

template <class Page>
std::span<std::byte> bytes_of_page(Page& page) {
    return std::as_writable_bytes(std::span{&page, 1});
}

}  // namespace

class LayerMap::Loading {
  public:
    Loading(LayerMap& map, std::uint64_t number) : map_(map), number_(number) {
        map_.loading_.insert(number_);
    }
    Loading(const Loading&) = delete;
    Loading& operator=(const Loading&) = delete;
    ~Loading() {
        map_.loading_.erase(number_);
        map_.loaded_.wake();
    }

  private:
    LayerMap& map_;
    std::uint64_t number_;
};

LayerMap::~LayerMap() {
    cache_.changed -= changed_.size();
    for (const auto& [number, place] : places_) cache_.pages.erase(place);
}

CachedPage* LayerMap::find(std::uint64_t number) {
    const auto found = places_.find(number);
    if (found == places_.end()) return nullptr;
    cache_.pages.splice(cache_.pages.begin(), cache_.pages, found->second);
    return &*found->second;
}

io::Task<std::optional<Pin>> LayerMap::page_if_any(std::uint64_t number) {
    if (auto* present = find(number)) co_return Pin{*present};
    const auto* pointers = co_await directory(number / fan_out);
    // It may have come to be while the directory was read.
    if (!pointers->pointers.at(number % fan_out).present() && !places_.contains(number))
        co_return std::nullopt;
    auto there = co_await page(number);
    co_return there;
}

io::Task<Pin> LayerMap::page(std::uint64_t number) {
    while (true) {
        if (auto* present = find(number)) co_return Pin{*present};
        if (loading_.contains(number)) {
            co_await loaded_.wait();
        } else {
            co_await load(number);
        }
    }
}

io::Task<void> LayerMap::load(std::uint64_t number) {
    const Loading loading{*this, number};
    evict();
    std::list<CachedPage> fresh;
    auto& page = fresh.emplace_back(*this, number);
    const auto* pointers = co_await directory(number / fan_out);
    page.on_disk = pointers->pointers.at(number % fan_out);
    if (page.on_disk.present())
        co_await read(bytes_of_page(page.bytes), page.on_disk, PageKind::slots, number,
                      slots_place(number));
    cache_.pages.splice(cache_.pages.begin(), fresh);
    places_.emplace(number, cache_.pages.begin());
}

void LayerMap::evict() {
    auto& pages = cache_.pages;
    auto place = pages.end();
    while (pages.size() >= cache_.most_clean + cache_.changed && place != pages.begin()) {
        --place;
        if (!place->clean() || place->pins > 0) continue;
        place->map->places_.erase(place->number);
        place = pages.erase(place);
    }
}

// Another may have read the same page meanwhile, and checkpoints gone on from there: then that one
// counts, and what became of this reading does not.
Result<const PointerPage*> LayerMap::keep(PointerPages& pages, std::uint64_t number,
                                          std::unique_ptr<PointerPage> page, Result<void> outcome) {
    if (const auto found = pages.find(number); found != pages.end()) return found->second.get();
    if (!outcome) return Failure{std::move(outcome).error()};
    return pages.try_emplace(number, std::move(page)).first->second.get();
}

io::Task<const PointerPage*> LayerMap::root() {
    if (!root_) {
        auto page = std::make_unique<PointerPage>();
        co_await read(*page, root_pointer_, PageKind::root, 0, 0);
        if (!root_) root_ = std::move(page);
    }
    co_return root_.get();
}

io::Task<const PointerPage*> LayerMap::branch(std::uint64_t number) {
    if (const auto found = branches_.find(number); found != branches_.end())
        co_return found->second.get();
    const auto* above = co_await root();
    const auto pointer = above->pointers.at(number);
    if (!pointer.present()) co_return &nothing_;
    auto page = std::make_unique<PointerPage>();
    auto outcome =
        co_await read(*page, pointer, PageKind::branch, number, branch_place(number)).result();
    co_return co_await keep(branches_, number, std::move(page), std::move(outcome));
}

io::Task<const PointerPage*> LayerMap::directory(std::uint64_t number) {
    if (const auto found = directories_.find(number); found != directories_.end())
        co_return found->second.get();
    const auto* above = co_await branch(number / fan_out);
    const auto pointer = above->pointers.at(number % fan_out);
    if (!pointer.present()) co_return &nothing_;
    auto page = std::make_unique<PointerPage>();
    auto outcome =
        co_await read(*page, pointer, PageKind::directory, number, directory_place(number))
            .result();
    co_return co_await keep(directories_, number, std::move(page), std::move(outcome));
}

io::Task<void> LayerMap::read(PointerPage& into, Pointer pointer, PageKind kind,
                              std::uint64_t position, std::uint64_t place) {
    if (pointer.present()) co_await read(bytes_of_page(into), pointer, kind, position, place);
}

io::Task<void> LayerMap::read(std::span<std::byte> into, Pointer pointer, PageKind kind,
                              std::uint64_t position, std::uint64_t place) {
    co_await file_.read(into, (place + pointer.home()) * page_size);
    const auto header = co_await check(into, {kind, layer_, position});
    const auto found = Pointer::to(header.checksum, pointer.home(), header.sequence);
    if (found != pointer)
        co_await fail(Kind::corrupt, "{} {}: another version than the last one written is there",
                      to_string(kind), position);
}

io::Task<std::uint64_t> LayerMap::next_present(std::uint64_t number, std::uint64_t end) {
    while (number < end) {
        const auto* pointers = co_await directory(number / fan_out);
        const auto stop = std::min(end, (number / fan_out + 1) * fan_out);
        for (; number < stop; ++number)
            if (pointers->pointers.at(number % fan_out).present() || places_.contains(number))
                co_return number;
    }
    co_return end;
}

void LayerMap::note_change(CachedPage& page) {
    ++page.changes;
    if (changed_.try_emplace(page.number, &page).second) ++cache_.changed;
}

void LayerMap::changed_states(CachedPage& page, std::uint64_t chunk) {
    note_change(page);
    if (page.unlogged == 0) unlogged_.push_back(&page);
    page.unlogged |= 1U << (chunk % chunks_per_page);
    page.untold |= 1U << (chunk % chunks_per_page);
}

LayerMap::Checkpoint LayerMap::capture() {
    Checkpoint checkpoint;
    for (const auto& [number, page] : changed_)
        checkpoint.images.push_back({.page = page,
                                     .pin = Pin{*page},
                                     .changes = page->changes,
                                     .pointer = page->on_disk,
                                     .bytes = std::make_unique<SlotsPage>(page->bytes)});
    return checkpoint;
}

io::Task<void> LayerMap::write(Checkpoint& checkpoint, std::uint64_t sequence) {
    checkpoint.pointer = root_pointer_;
    if (checkpoint.images.empty()) co_return;
    co_await gather_parents(checkpoint);
    co_await write_slots(checkpoint, sequence);
    co_await write_parents(checkpoint, sequence);
    co_await file_.sync();
    // A write that was lost or went elsewhere shows now, while the last checkpoint is whole.
    // Not a page in the coroutine's own frame, which nobody aligns.
    storage::AlignedBuffer again{page_size};
    if (again.bytes().empty()) co_await fail(Kind::exhausted, "no memory for a page");
    for (const auto& image : checkpoint.images)
        co_await read(again.bytes(), image.pointer, PageKind::slots, image.page->number,
                      slots_place(image.page->number));
    for (const auto& [number, page] : checkpoint.directories) {
        const auto& above = *checkpoint.branches.at(number / fan_out);
        co_await read(again.bytes(), above.pointers.at(number % fan_out), PageKind::directory,
                      number, directory_place(number));
    }
    for (const auto& [number, page] : checkpoint.branches)
        co_await read(again.bytes(), checkpoint.root->pointers.at(number), PageKind::branch, number,
                      branch_place(number));
    co_await read(again.bytes(), checkpoint.pointer, PageKind::root, 0, 0);
}

// Copies of everything between the changed pages and the root.
io::Task<void> LayerMap::gather_parents(Checkpoint& checkpoint) {
    for (const auto& image : checkpoint.images) {
        const auto number = image.page->number / fan_out;
        if (checkpoint.directories.contains(number)) continue;
        const auto* page = co_await directory(number);
        checkpoint.directories.emplace(number, std::make_unique<PointerPage>(*page));
        if (checkpoint.branches.contains(number / fan_out)) continue;
        const auto* above = co_await branch(number / fan_out);
        checkpoint.branches.emplace(number / fan_out, std::make_unique<PointerPage>(*above));
    }
    const auto* top = co_await root();
    checkpoint.root = std::make_unique<PointerPage>(*top);
}

io::Task<void> LayerMap::write_slots(Checkpoint& checkpoint, std::uint64_t sequence) {
    auto rest = std::span{checkpoint.images};
    while (!rest.empty()) {
        const auto now = rest.first(std::min(rest.size(), writes_at_once));
        io::TaskGroup group;
        for (auto& image : now) group.start(write_image(image, sequence));
        co_await group.join();
        rest = rest.subspan(now.size());
    }
    for (const auto& image : checkpoint.images) {
        auto& directory = *checkpoint.directories.at(image.page->number / fan_out);
        directory.pointers.at(image.page->number % fan_out) = image.pointer;
    }
}

io::Task<void> LayerMap::write_image(Image& image, std::uint64_t sequence) {
    co_await write(bytes_of_page(*image.bytes), image.pointer, PageKind::slots, image.page->number,
                   slots_place(image.page->number), sequence);
}

io::Task<void> LayerMap::write_parents(Checkpoint& checkpoint, std::uint64_t sequence) {
    for (const auto& [number, page] : checkpoint.directories) {
        auto& pointer = checkpoint.branches.at(number / fan_out)->pointers.at(number % fan_out);
        co_await write(bytes_of_page(*page), pointer, PageKind::directory, number,
                       directory_place(number), sequence);
    }
    for (const auto& [number, page] : checkpoint.branches)
        co_await write(bytes_of_page(*page), checkpoint.root->pointers.at(number), PageKind::branch,
                       number, branch_place(number), sequence);
    co_await write(bytes_of_page(*checkpoint.root), checkpoint.pointer, PageKind::root, 0, 0,
                   sequence);
}

// To the other home than the pointer says; then it says the new one.
io::Task<void> LayerMap::write(std::span<std::byte> page, Pointer& pointer, PageKind kind,
                               std::uint64_t position, std::uint64_t place,
                               std::uint64_t sequence) {
    const auto home = pointer.other_home();
    const auto checksum = seal(page, {kind, layer_, position}, sequence);
    co_await file_.write(page, (place + home) * page_size);
    pointer = Pointer::to(checksum, home, sequence);
}

void LayerMap::adopt(Checkpoint checkpoint) {
    if (checkpoint.images.empty()) return;
    for (auto& image : checkpoint.images) {
        image.page->on_disk = image.pointer;
        image.page->stored = image.changes;
        if (image.page->changes == image.changes)
            cache_.changed -= changed_.erase(image.page->number);
    }
    for (auto& [number, page] : checkpoint.directories)
        directories_.insert_or_assign(number, std::move(page));
    for (auto& [number, page] : checkpoint.branches)
        branches_.insert_or_assign(number, std::move(page));
    root_ = std::move(checkpoint.root);
    root_pointer_ = checkpoint.pointer;
}

}  // namespace sheaf::volume

#include "storage/volume/layer_map.h"

#include <algorithm>

#include "io/task_group.h"
#include "storage/aligned_buffer.h"
#include "storage/volume/map_geometry.h"
#include "storage/volume/page.h"

namespace sheaf::volume {

namespace {

constexpr std::size_t writes_at_once = 32;
constexpr std::uint64_t root_place = 0;

template <class Page>
std::span<std::byte> bytes_of_page(Page& page) {
    return std::as_writable_bytes(std::span{&page, 1});
}

}  // namespace

class LayerMap::Loading {
  public:
    Loading(LayerMap& map, std::uint64_t place) : map_(map), place_(place) {
        map_.loading_.insert(place_);
    }
    Loading(const Loading&) = delete;
    Loading& operator=(const Loading&) = delete;
    ~Loading() {
        map_.loading_.erase(place_);
        map_.loaded_.wake();
    }

  private:
    LayerMap& map_;
    std::uint64_t place_;
};

LayerMap::~LayerMap() {
    cache_.changed -= changed_.size();
    for (const auto& [number, place] : places_) cache_.pages.erase(place);
    for (const auto& [number, place] : directories_) cache_.directories.erase(place);
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
        co_await once(slots_place(number), load(number));
    }
}

io::Task<void> LayerMap::once(std::uint64_t place, io::Task<void> load) {
    if (loading_.contains(place)) {
        co_await loaded_.wait();
        co_return;
    }
    const Loading loading{*this, place};
    co_await std::move(load);
}

io::Task<void> LayerMap::load(std::uint64_t number) {
    evict();
    std::list<CachedPage> fresh;
    auto& page = fresh.emplace_back(cache_.slabs, *this, number);
    const auto* pointers = co_await directory(number / fan_out);
    page.on_disk = pointers->pointers.at(number % fan_out);
    if (page.on_disk.present())
        co_await read(bytes_of_page(*page.bytes), page.on_disk, PageKind::slots, number,
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

io::Task<const PointerPage*> LayerMap::root() {
    while (!root_) co_await once(root_place, load_root());
    co_return root_.get();
}

io::Task<void> LayerMap::load_root() {
    auto page = std::make_unique<PointerPage>();
    co_await read(*page, root_pointer_, PageKind::root, 0, root_place);
    if (!root_) root_ = std::move(page);
}

io::Task<const PointerPage*> LayerMap::branch(std::uint64_t number) {
    const auto* above = co_await root();
    while (!branches_.contains(number)) {
        const auto pointer = above->pointers.at(number);
        if (!pointer.present()) co_return &nothing_;
        co_await once(branch_place(number), load_branch(number, pointer));
        above = root_.get();
    }
    co_return branches_.at(number).get();
}

// A checkpoint may have gone on from there meanwhile, and have written over what is read here: then
// its own page counts, and what became of this reading does not.
io::Task<void> LayerMap::load_branch(std::uint64_t number, Pointer pointer) {
    auto page = cache_.slabs.make<PointerPage>();
    auto outcome =
        co_await read(*page, pointer, PageKind::branch, number, branch_place(number)).result();
    if (branches_.contains(number)) co_return;
    co_await std::move(outcome);
    branches_.try_emplace(number, std::move(page));
}

io::Task<const PointerPage*> LayerMap::directory(std::uint64_t number) {
    while (true) {
        if (const auto* present = find_directory(number)) co_return present;
        const auto* above = co_await branch(number / fan_out);
        const auto pointer = above->pointers.at(number % fan_out);
        if (!pointer.present()) co_return &nothing_;
        co_await once(directory_place(number), load_directory(number, pointer));
    }
}

const PointerPage* LayerMap::find_directory(std::uint64_t number) {
    const auto found = directories_.find(number);
    if (found == directories_.end()) return nullptr;
    auto& all = cache_.directories;
    all.splice(all.begin(), all, found->second);
    return found->second->bytes.get();
}

// As with a branch; but the checkpoint's own page may be forgotten again by now.
io::Task<void> LayerMap::load_directory(std::uint64_t number, Pointer pointer) {
    auto page = cache_.slabs.make<PointerPage>();
    auto outcome =
        co_await read(*page, pointer, PageKind::directory, number, directory_place(number))
            .result();
    if (branches_.at(number / fan_out)->pointers.at(number % fan_out) != pointer) co_return;
    co_await std::move(outcome);
    keep_directory(number, std::move(page));
}

void LayerMap::keep_directory(std::uint64_t number, PageSlabs::Handle<PointerPage> page) {
    if (const auto found = directories_.find(number); found != directories_.end()) {
        found->second->bytes = std::move(page);
        return;
    }
    auto& all = cache_.directories;
    while (!all.empty() && all.size() >= cache_.most_clean / 2) {
        all.back().map->directories_.erase(all.back().number);
        all.pop_back();
    }
    all.push_front({std::move(page), this, number});
    directories_.emplace(number, all.begin());
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
                                     .bytes = cache_.slabs.make(*page->bytes)});
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
    co_await read(again.bytes(), checkpoint.pointer, PageKind::root, 0, root_place);
}

// Copies of everything between the changed pages and the root.
io::Task<void> LayerMap::gather_parents(Checkpoint& checkpoint) {
    for (const auto& image : checkpoint.images) {
        const auto number = image.page->number / fan_out;
        if (checkpoint.directories.contains(number)) continue;
        const auto* page = co_await directory(number);
        checkpoint.directories.emplace(number, cache_.slabs.make(*page));
        if (checkpoint.branches.contains(number / fan_out)) continue;
        const auto* above = co_await branch(number / fan_out);
        checkpoint.branches.emplace(number / fan_out, cache_.slabs.make(*above));
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
    co_await write(bytes_of_page(*checkpoint.root), checkpoint.pointer, PageKind::root, 0,
                   root_place, sequence);
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
    for (auto& [number, page] : checkpoint.directories) keep_directory(number, std::move(page));
    for (auto& [number, page] : checkpoint.branches)
        branches_.insert_or_assign(number, std::move(page));
    root_ = std::move(checkpoint.root);
    root_pointer_ = checkpoint.pointer;
}

}  // namespace sheaf::volume

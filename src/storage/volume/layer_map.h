#pragma once

// Why: which blocks a layer has, where they are and what their checksums are, too much to keep in
// memory whole and too often asked for to read each time. Pages are read when they are first
// needed, changed in memory, and written by checkpoints to the home that no complete checkpoint
// points at. What: docs/formats/volume.md, "map".

#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "io/waiters.h"
#include "storage/volume/file.h"
#include "storage/volume/page_cache.h"

namespace sheaf::volume {

// Loop thread only.
class LayerMap {
  public:
    // A layer's pages are owned by `layer`; its tree hangs on `root`. They are kept in `cache`.
    LayerMap(File file, Id layer, Pointer root, PageCache& cache)
        : file_(std::move(file)), layer_(layer), root_pointer_(root), cache_(cache) {}
    LayerMap(const LayerMap&) = delete;
    LayerMap& operator=(const LayerMap&) = delete;
    // No page of it is pinned any more.
    ~LayerMap();

    // The page that holds the entries of chunks 16 x number and following.
    io::Task<Pin> page(std::uint64_t number);
    // The same, or nothing where the layer has no entry there.
    io::Task<std::optional<Pin>> page_if_any(std::uint64_t number);
    // The page where it is in memory already.
    CachedPage* find(std::uint64_t number);
    // The first page at or after `number`, before `end`, that may say anything; `end` if none does.
    io::Task<std::uint64_t> next_present(std::uint64_t number, std::uint64_t end);

    // Notes a change of the page: of checksums only, or of states or places, which the log must
    // come to know.
    void changed_checksums(CachedPage& page) { note_change(page); }
    void changed_states(CachedPage& page, std::uint64_t chunk);

    // The pages that have entries unknown to the log. The caller tells the log and clears them.
    std::vector<CachedPage*> take_unlogged() { return std::exchange(unlogged_, {}); }
    void return_unlogged(CachedPage& page) { unlogged_.push_back(&page); }
    bool has_unlogged() const { return !unlogged_.empty(); }
    std::size_t changed_pages() const { return changed_.size(); }

    // What a checkpoint is to write: the changed pages as they are now.
    struct Image {
        CachedPage* page;
        Pin pin;
        std::uint64_t changes;
        Pointer pointer;
        PageSlabs::Handle<SlotsPage> bytes;
    };
    using PointerPages = std::unordered_map<std::uint64_t, PageSlabs::Handle<PointerPage>>;
    struct Checkpoint {
        std::vector<Image> images;
        PointerPages directories;
        PointerPages branches;
        std::unique_ptr<PointerPage> root;
        Pointer pointer;  // to the root, for the table of layers
    };
    Checkpoint capture();
    // Writes it, makes it stable and reads it again. What the disk has of the last checkpoint
    // stays.
    io::Task<void> write(Checkpoint& checkpoint, std::uint64_t sequence);
    // The checkpoint is what counts from now on.
    void adopt(Checkpoint checkpoint);

  private:
    class Loading;

    void note_change(CachedPage& page);
    // One reads a page of this place; others who want it meanwhile wait, and look again.
    io::Task<void> once(std::uint64_t place, io::Task<void> load);
    io::Task<void> load(std::uint64_t number);
    // What these give is there until the caller waits again.
    io::Task<const PointerPage*> root();
    io::Task<const PointerPage*> branch(std::uint64_t number);
    io::Task<const PointerPage*> directory(std::uint64_t number);
    io::Task<void> load_root();
    io::Task<void> load_branch(std::uint64_t number, Pointer pointer);
    io::Task<void> load_directory(std::uint64_t number, Pointer pointer);
    const PointerPage* find_directory(std::uint64_t number);
    void keep_directory(std::uint64_t number, PageSlabs::Handle<PointerPage> page);
    io::Task<void> read(std::span<std::byte> into, Pointer pointer, PageKind kind,
                        std::uint64_t position, std::uint64_t place);
    io::Task<void> read(PointerPage& into, Pointer pointer, PageKind kind, std::uint64_t position,
                        std::uint64_t place);
    io::Task<void> write(std::span<std::byte> page, Pointer& pointer, PageKind kind,
                         std::uint64_t position, std::uint64_t place, std::uint64_t sequence);
    io::Task<void> write_slots(Checkpoint& checkpoint, std::uint64_t sequence);
    io::Task<void> write_image(Image& image, std::uint64_t sequence);
    io::Task<void> gather_parents(Checkpoint& checkpoint);
    io::Task<void> write_parents(Checkpoint& checkpoint, std::uint64_t sequence);
    void evict();

    File file_;
    Id layer_;
    Pointer root_pointer_;
    const PointerPage nothing_{};  // for all that do not exist
    std::unique_ptr<PointerPage> root_;
    PointerPages branches_;  // all that were needed: one for 128 GiB
    PageCache& cache_;
    std::unordered_map<std::uint64_t, std::list<CachedDirectory>::iterator> directories_;
    std::unordered_map<std::uint64_t, std::list<CachedPage>::iterator> places_;
    std::unordered_map<std::uint64_t, CachedPage*> changed_;
    std::vector<CachedPage*> unlogged_;
    std::unordered_set<std::uint64_t> loading_;  // places of pages
    io::Waiters loaded_;
};

}  // namespace sheaf::volume

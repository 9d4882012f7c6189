#pragma once

// Why: the pages of all layers' maps share one bound, however many layers a volume has: what is
// used stays, whichever layer it is of.

#include <list>
#include <utility>

#include "storage/volume/map_format.h"
#include "storage/volume/page_slabs.h"

namespace sheaf::volume {

class LayerMap;

// A slots page in memory.
struct CachedPage {
    CachedPage(PageSlabs& slabs, LayerMap& of_map, std::uint64_t page_number)
        : bytes(slabs.make<SlotsPage>()), map(&of_map), number(page_number) {}

    bool clean() const { return changes == stored && unlogged == 0; }
    SlotEntry& entry(std::uint64_t chunk) { return bytes->entries.at(chunk % chunks_per_page); }

    PageSlabs::Handle<SlotsPage> bytes;
    LayerMap* map;
    std::uint64_t number;
    Pointer on_disk{};
    std::uint64_t changes = 0;   // so often has it been changed
    std::uint64_t stored = 0;    // and this many of those are in the last checkpoint
    std::uint32_t unlogged = 0;  // entries of which the log does not know the states, a bit each
    std::uint32_t untold = 0;    // the same of what the log was never told, stable or not
    unsigned pins = 0;           // while not 0 it stays in memory
    // Of each chunk: requests that are writing into its slot, and the slot where the entry does not
    // have one yet.
    std::array<std::uint16_t, chunks_per_page> writers{};
    std::array<std::uint32_t, chunks_per_page> reserved{};
};

// Keeps a page in memory. Moves only; the map outlives it.
class [[nodiscard]] Pin {
  public:
    explicit Pin(CachedPage& page) : page_(&page) { ++page.pins; }
    Pin(Pin&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}
    Pin& operator=(Pin&& other) noexcept {
        std::swap(page_, other.page_);
        return *this;
    }
    ~Pin() {
        if (page_) --page_->pins;
    }
    CachedPage& operator*() const { return *page_; }
    CachedPage* operator->() const { return page_; }

  private:
    CachedPage* page_;
};

// A directory page in memory, as the last checkpoint has it.
struct CachedDirectory {
    PageSlabs::Handle<PointerPage> bytes;
    LayerMap* map;
    std::uint64_t number;
};

// Loop thread only; outlives the maps.
struct PageCache {
    explicit PageCache(std::size_t most) : most_clean(most) {}

    PageSlabs slabs;
    std::size_t most_clean;  // unchanged slots pages that are kept, and half as many directories
    std::size_t changed = 0;
    // Those used last in front.
    std::list<CachedPage> pages;
    std::list<CachedDirectory> directories;
};

}  // namespace sheaf::volume

#pragma once

// Why: which layer has a block is asked with every request, and the answer must not take longer the
// more snapshots there are. So it is looked up once for 2 MiB, and kept up to date from then on.

#include <array>
#include <list>
#include <memory>
#include <unordered_map>

#include "storage/volume/layer.h"

namespace sheaf::volume {

// Of the volume's content, not of its snapshots'. Loop thread only.
class LiveIndex {
  public:
    static constexpr std::size_t known_page_bytes = 384;
    static constexpr std::size_t mixed_bytes = 272;  // more for a chunk whose blocks differ

    // Pages of so many bytes are kept, with what the heap adds.
    explicit LiveIndex(std::size_t limit) : most_(limit) {}

    // The layers of a chunk's blocks, null for nobody.
    class Chunk {
      public:
        Layer* owner(unsigned block) const { return mixed_ ? mixed_->at(block) : all_; }
        bool mixed() const { return mixed_ != nullptr; }
        // A bit is a block, the lowest the first.
        void set(std::uint32_t blocks, Layer* owner);
        std::uint32_t unowned() const;

      private:
        Layer* all_ = nullptr;
        std::unique_ptr<std::array<Layer*, blocks_per_chunk>> mixed_;
    };
    struct Page {
        std::array<Chunk, chunks_per_page> chunks;

        std::size_t bytes() const;
    };

    // What is known of a page of the map, or null.
    const Page* find(std::uint64_t number);

    // While a page is looked up, changes of it are noticed: then it is not kept.
    class Lookup {
      public:
        Lookup(LiveIndex& index, std::uint64_t number);
        Lookup(const Lookup&) = delete;
        Lookup& operator=(const Lookup&) = delete;
        ~Lookup() { index_.lookups_.erase(place_); }
        void keep(std::unique_ptr<Page> page);

      private:
        struct State {
            std::uint64_t number;
            bool stale;
        };
        friend class LiveIndex;
        LiveIndex& index_;
        std::list<State>::iterator place_;
    };

    // The head's entry of a chunk is now this.
    void head_changed(Layer& head, std::uint64_t chunk, const SlotEntry& entry);
    // Another layer's page has changed.
    void forget(std::uint64_t number);
    // The stack has changed.
    void clear();

  private:
    struct Kept {
        std::uint64_t number;
        std::unique_ptr<Page> page;
    };
    void mark_stale(std::uint64_t number);
    void make_room(std::size_t bytes);
    void drop(std::list<Kept>::iterator place);

    std::size_t most_;
    std::size_t bytes_ = 0;
    std::list<Kept> kept_;  // those used last in front
    std::unordered_map<std::uint64_t, std::list<Kept>::iterator> places_;
    std::list<Lookup::State> lookups_;
};

}  // namespace sheaf::volume

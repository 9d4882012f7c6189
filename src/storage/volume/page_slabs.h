#pragma once

// Why: on the heap a page that direct transfers accept takes two to three times its size. Here
// pages lie side by side, and one that is given back is the next to be given out.

#include <array>
#include <memory>
#include <vector>

#include "storage/volume/format.h"

namespace sheaf::volume {

// Loop thread only; outlives its pages. Grows to the most pages that there were at a time.
class PageSlabs {
  public:
    class Return {
      public:
        explicit Return(PageSlabs& to) : to_(&to) {}
        void operator()(void* page) const { to_->free_.push_back(page); }

      private:
        PageSlabs* to_;
    };
    template <class Page>
    using Handle = std::unique_ptr<Page, Return>;

    template <class Page>
    Handle<Page> make(const Page& content = {}) {
        static_assert(sizeof(Page) == page_size && alignof(Page) == page_size);
        static_assert(std::is_trivially_destructible_v<Page>);
        return {std::construct_at(static_cast<Page*>(take()), content), Return{*this}};
    }

  private:
    static constexpr std::size_t pages_per_slab = 64;
    struct alignas(page_size) Slab {
        std::array<std::byte, pages_per_slab * page_size> bytes;
    };

    void* take() {
        if (free_.empty()) grow();
        auto* page = free_.back();
        free_.pop_back();
        return page;
    }
    // The list has room for all pages from then on: giving back never fails.
    void grow() {
        free_.reserve((slabs_.size() + 1) * pages_per_slab);
        auto& slab = *slabs_.emplace_back(std::make_unique_for_overwrite<Slab>());
        for (std::size_t page = pages_per_slab; page-- > 0;)
            free_.push_back(&slab.bytes.at(page * page_size));
    }

    std::vector<std::unique_ptr<Slab>> slabs_;
    std::vector<void*> free_;
};

}  // namespace sheaf::volume

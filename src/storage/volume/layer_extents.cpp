// What layers hold, without reading it.

#include <algorithm>

#include "base/units.h"
#include "storage/volume/layer_reader.h"

namespace sheaf::volume {

io::Task<std::uint64_t> LayerReader::next_present(LayerSpan layers, std::uint64_t page,
                                                  std::uint64_t end) {
    for (auto* layer = layers.top; layer != layers.end; layer = layer->parent) {
        const auto present = co_await layer->map.next_present(page, end);
        end = std::min(end, present);
    }
    co_return end;
}

namespace {

// Gathers extents from the front; neighbours of one kind become one.
class ExtentList {
  public:
    explicit ExtentList(std::size_t most) : most_(most) {}
    // False where there is no place for one more.
    bool add(std::uint64_t length, storage::Extent::Kind kind) {
        if (length == 0) return true;
        if (!list_.empty() && list_.back().kind == kind) {
            list_.back().length += length;
        } else if (list_.size() == most_) {
            return false;
        } else {
            list_.push_back({length, kind});
        }
        return true;
    }
    std::vector<storage::Extent> take() { return std::move(list_); }

  private:
    std::size_t most_;
    std::vector<storage::Extent> list_;
};

bool ends_somewhere(const LayerSpan& layers) {
    const Layer* layer = layers.top;
    while (layer && layer != layers.end) layer = layer->parent;
    return layer == layers.end;
}

storage::Extent::Kind kind_of(const BlockOwner& owner) {
    if (!owner.layer) return storage::Extent::Kind::hole;
    return owner.is_data() ? storage::Extent::Kind::data : storage::Extent::Kind::zero;
}

}  // namespace

// One page of the maps at a time is held, so that no writer waits for all of it.
io::Task<std::vector<storage::Extent>> LayerReader::extents(Layer* snapshot, std::uint64_t offset,
                                                            std::uint64_t length, std::size_t most,
                                                            const Layer* below) {
    constexpr auto page_bytes = std::uint64_t{chunks_per_page} * chunk_size;
    const auto end = offset + length;
    ExtentList list{std::max<std::size_t>(most, 1)};
    for (auto at = offset; at < end;) {
        const auto page = at / page_bytes;
        const auto last = std::min((page + 1) * page_bytes, align_up(end, block_size));
        const RangeLock::Range range{at / block_size, align_up(last, block_size) / block_size,
                                     RangeLock::Mode::shared};
        const auto held = co_await blocks_.acquire(range);
        const LayerSpan layers{snapshot ? snapshot : &stack_.head(), below};
        if (!ends_somewhere(layers))
            co_await fail(Kind::conflict,
                          "the content does not descend from that snapshot any more");
        const auto pages = align_up(end, page_bytes) / page_bytes;
        const auto present = co_await next_present(layers, page, pages);
        if (present > page) {
            const auto until = std::min(end, present * page_bytes);
            if (!list.add(until - at, storage::Extent::Kind::hole)) break;
            at = until;
            continue;
        }
        auto room = true;
        while (at < std::min(end, last) && room) {
            const auto chunk = at / chunk_size;
            const auto found = co_await owners(layers, chunk, ~std::uint32_t{0});
            const auto stop = std::min(end, (chunk + 1) * chunk_size);
            while (at < stop && room) {
                const auto next = std::min(stop, (at / block_size + 1) * block_size);
                room = list.add(next - at, kind_of(found.at(at / block_size % blocks_per_chunk)));
                if (room) at = next;
            }
        }
        if (!room) break;
    }
    co_return list.take();
}

}  // namespace sheaf::volume

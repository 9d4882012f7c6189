#include "storage/buffer_pool.h"

#include <algorithm>
#include <bit>

#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif

namespace sheaf::storage {

namespace {

constexpr std::size_t least_slab = std::size_t{64} << 10;
constexpr std::size_t usual_slab = AlignedBuffer::huge_page;
constexpr std::size_t usual_pieces = 16;

// What is not lent is touched by nobody; builds with AddressSanitizer see to it.
void forbid([[maybe_unused]] std::span<std::byte> bytes) {
#if __has_feature(address_sanitizer)
    ASAN_POISON_MEMORY_REGION(bytes.data(), bytes.size());
#endif
}
void allow([[maybe_unused]] std::span<std::byte> bytes) {
#if __has_feature(address_sanitizer)
    ASAN_UNPOISON_MEMORY_REGION(bytes.data(), bytes.size());
#endif
}

}  // namespace

BufferPool::Loan::~Loan() {
    if (pool_) pool_->give_back(slab_, bytes_.data());
}

BufferPool::Loan BufferPool::take(std::size_t size) {
    const auto piece = std::bit_ceil(std::max(size, AlignedBuffer::alignment));
    auto slab = std::ranges::find_if(slabs_, [piece](const Slab& candidate) {
        return candidate.piece == piece && !candidate.idle.empty();
    });
    if (slab == slabs_.end()) slab = add(piece);
    if (slab == slabs_.end()) return {};
    slabs_.splice(slabs_.begin(), slabs_, slab);
    auto* const bytes = slab->idle.back();
    slab->idle.pop_back();
    idle_ -= piece;
    allow({bytes, size});
    return {*this, slab, {bytes, size}};
}

std::list<BufferPool::Slab>::iterator BufferPool::add(std::size_t piece) {
    const auto size = std::max(piece, std::clamp(piece * usual_pieces, least_slab, usual_slab));
    AlignedBuffer memory{size};
    const auto bytes = memory.bytes();
    if (bytes.empty()) return slabs_.end();
    auto registered = io::RegisteredMemory::create(loop_, bytes);
    slabs_.push_front({std::move(memory), std::move(registered), piece, {}});
    auto& idle = slabs_.front().idle;
    idle.reserve(size / piece);
    for (auto place = size; place > 0; place -= piece) idle.push_back(bytes.data() + place - piece);
    forbid(bytes);
    idle_ += size;
    return slabs_.begin();
}

void BufferPool::give_back(std::list<Slab>::iterator slab, std::byte* bytes) {
    forbid({bytes, slab->piece});
    slab->idle.push_back(bytes);  // has room for all of them
    idle_ += slab->piece;
    if (slab->all_idle() && idle_ > most_idle_) drop(slab);
}

std::list<BufferPool::Slab>::iterator BufferPool::drop(std::list<Slab>::iterator slab) {
    idle_ -= slab->memory.bytes().size();
    return slabs_.erase(slab);
}

void BufferPool::drop_idle() {
    for (auto slab = slabs_.begin(); slab != slabs_.end();)
        slab = slab->all_idle() ? drop(slab) : std::next(slab);
}

}  // namespace sheaf::storage

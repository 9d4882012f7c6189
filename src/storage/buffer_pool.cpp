#include "storage/buffer_pool.h"

#include <bit>

namespace sheaf::storage {

namespace {

// 0 for one alignment, 1 for two, and so on.
std::size_t class_of(std::size_t size) {
    return static_cast<std::size_t>(
        std::bit_width((size + AlignedBuffer::alignment - 1) / AlignedBuffer::alignment - 1));
}

}  // namespace

BufferPool::Loan BufferPool::take(std::size_t size) {
    const auto number = class_of(size);
    const auto rounded = AlignedBuffer::alignment << number;
    if (number >= classes) return {*this, AlignedBuffer{rounded}, size};
    auto& like = classes_.at(number);
    if (!like.idle.empty()) {
        auto buffer = std::move(like.idle.back());
        like.idle.pop_back();
        idle_bytes_ -= rounded;
        return {*this, std::move(buffer), size};
    }
    AlignedBuffer buffer{rounded};
    if (!buffer.bytes().empty()) like.idle.reserve(++like.made);
    return {*this, std::move(buffer), size};
}

void BufferPool::give_back(AlignedBuffer buffer) {
    const auto size = buffer.bytes().size();
    const auto number = size > 0 ? class_of(size) : classes;
    if (number >= classes) return;
    auto& like = classes_.at(number);
    if (idle_bytes_ + size > most_idle_) {
        --like.made;
        return;
    }
    like.idle.push_back(std::move(buffer));
    idle_bytes_ += size;
}

void BufferPool::drop_idle() {
    for (auto& like : classes_) {
        like.made -= like.idle.size();
        like.idle.clear();
    }
    idle_bytes_ = 0;
}

}  // namespace sheaf::storage

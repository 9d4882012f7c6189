#include "devices/console/byte_ring.h"

namespace sheaf::console {

std::size_t ByteRing::put(std::span<const std::byte> bytes) {
    const auto fitting = bytes.first(std::min(bytes.size(), room()));
    const auto end = (first_ + size_) % capacity_;
    const auto straight = std::min(fitting.size(), capacity_ - end);
    std::ranges::copy(fitting.first(straight), bytes_.get() + end);
    std::ranges::copy(fitting.subspan(straight), bytes_.get());
    size_ += fitting.size();
    return fitting.size();
}

std::size_t ByteRing::take(std::span<std::byte> bytes) {
    const auto count = std::min(bytes.size(), size_);
    const auto straight = std::min(count, capacity_ - first_);
    std::ranges::copy(std::span{bytes_.get() + first_, straight}, bytes.begin());
    std::ranges::copy(std::span{bytes_.get(), count - straight}, bytes.subspan(straight).begin());
    drop(count);
    return count;
}

void ByteRing::drop(std::size_t count) {
    count = std::min(count, size_);
    first_ = (first_ + count) % capacity_;
    size_ -= count;
}

}  // namespace sheaf::console

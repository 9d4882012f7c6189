#include "storage/vectors.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace sheaf::storage {

std::size_t length_of(std::span<const iovec> vectors) {
    std::size_t length = 0;
    for (const auto& vector : vectors) length += vector.iov_len;
    return length;
}

bool all_aligned(std::span<const iovec> vectors, std::size_t alignment) {
    return std::ranges::all_of(vectors, [alignment](const iovec& vector) {
        return (std::bit_cast<std::uintptr_t>(vector.iov_base) | vector.iov_len) % alignment == 0;
    });
}

std::vector<iovec> slice(std::span<const iovec> vectors, std::size_t offset, std::size_t length) {
    VectorCursor cursor{vectors};
    cursor.skip(offset);
    std::vector<iovec> pieces;
    while (length > 0) {
        const auto piece = cursor.take(length);
        if (piece.empty()) break;
        pieces.push_back({piece.data(), piece.size()});
        length -= piece.size();
    }
    return pieces;
}

std::span<std::byte> VectorCursor::piece(std::size_t limit) const {
    if (rest_.empty()) return {};
    const auto& front = rest_.front();
    auto* start = static_cast<std::byte*>(front.iov_base) + used_;
    return {start, std::min(limit, front.iov_len - used_)};
}

void VectorCursor::advance(std::size_t length) {
    used_ += length;
    if (used_ < rest_.front().iov_len) return;
    rest_ = rest_.subspan(1);
    used_ = 0;
}

void VectorCursor::skip(std::size_t length) {
    while (length > 0 && !rest_.empty()) {
        const auto step = piece(length).size();
        advance(step);
        length -= step;
    }
}

void VectorCursor::copy_out(std::span<std::byte> buffer) {
    while (!buffer.empty() && !rest_.empty()) {
        const auto from = piece(buffer.size());
        std::ranges::copy(from, buffer.begin());
        buffer = buffer.subspan(from.size());
        advance(from.size());
    }
}

void VectorCursor::copy_in(std::span<const std::byte> buffer) {
    while (!buffer.empty() && !rest_.empty()) {
        const auto to = piece(buffer.size());
        std::ranges::copy(buffer.first(to.size()), to.begin());
        buffer = buffer.subspan(to.size());
        advance(to.size());
    }
}

std::span<std::byte> VectorCursor::take(std::size_t limit) {
    auto taken = std::span<std::byte>{};
    while (taken.empty() && !rest_.empty()) {
        taken = piece(limit);
        advance(taken.size());
    }
    return taken;
}

std::vector<iovec> VectorCursor::next(std::size_t limit) const {
    std::vector<iovec> pieces{rest_.begin(), rest_.begin() + std::min(limit, rest_.size())};
    if (!pieces.empty() && used_ > 0) {
        const auto first = piece(pieces.front().iov_len);
        pieces.front() = {first.data(), first.size()};
    }
    return pieces;
}

}  // namespace sheaf::storage

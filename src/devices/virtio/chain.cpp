#include "devices/virtio/chain.h"

#include <utility>

#include "devices/virtio/queue.h"

namespace sheaf::virtio {

Stream::Stream(std::span<iovec> vectors) : vectors_(vectors) {
    for (const auto& piece : vectors_) size_ += piece.iov_len;
}

Result<void> Stream::skip(std::size_t length) {
    if (length > size_) return fail(Kind::invalid, "needs {} bytes, has {}", length, size_);
    size_ -= length;
    while (length > 0) {
        auto& piece = vectors_.front();
        const auto step = std::min(length, piece.iov_len);
        piece.iov_base = static_cast<std::byte*>(piece.iov_base) + step;
        piece.iov_len -= step;
        length -= step;
        if (piece.iov_len == 0) vectors_ = vectors_.subspan(1);
    }
    return {};
}

Result<Stream> Stream::split_last(std::size_t length, std::span<iovec, 1> divided) {
    if (length > size_) return fail(Kind::invalid, "needs {} bytes, has {}", length, size_);
    auto index = vectors_.size();
    auto rest = length;
    while (rest > 0 && vectors_[index - 1].iov_len <= rest) rest -= vectors_[--index].iov_len;
    auto tail = Stream{};
    if (rest == 0) {
        tail = Stream{vectors_.subspan(index)};
    } else if (index == vectors_.size()) {
        auto& piece = vectors_[index - 1];
        piece.iov_len -= rest;
        divided[0] = {static_cast<std::byte*>(piece.iov_base) + piece.iov_len, rest};
        tail = Stream{divided};
    } else {
        // One stream cannot begin in a divided piece and go on in others: drivers put trailers
        // into one piece of their own.
        return fail(Kind::unsupported, "a trailer of {} bytes across descriptors", length);
    }
    vectors_ = vectors_.first(index);
    size_ -= length;
    return tail;
}

Result<void> Stream::copy_out(std::span<std::byte> to) {
    if (to.size() > size_) return fail(Kind::invalid, "needs {} bytes, has {}", to.size(), size_);
    while (!to.empty()) {
        const auto& piece = vectors_.front();
        const auto step = std::min(to.size(), piece.iov_len);
        std::memcpy(to.data(), piece.iov_base, step);
        to = to.subspan(step);
        TRY(skip(step));
    }
    return {};
}

Result<void> Stream::copy_in(std::span<const std::byte> from) {
    if (from.size() > size_)
        return fail(Kind::invalid, "needs {} bytes, has {}", from.size(), size_);
    while (!from.empty()) {
        const auto& piece = vectors_.front();
        const auto step = std::min(from.size(), piece.iov_len);
        std::memcpy(piece.iov_base, from.data(), step);
        from = from.subspan(step);
        TRY(skip(step));
    }
    return {};
}

Chain::Chain(Chain&& other) noexcept
    : queue_(std::exchange(other.queue_, nullptr)),
      head_(other.head_),
      written_(other.written_),
      readable_(other.readable_),
      writable_(other.writable_) {}

Chain& Chain::operator=(Chain&& other) noexcept {
    const auto given_back = Chain{std::move(*this)};
    std::swap(queue_, other.queue_);
    std::swap(head_, other.head_);
    std::swap(written_, other.written_);
    std::swap(readable_, other.readable_);
    std::swap(writable_, other.writable_);
    return *this;
}

Chain::~Chain() {
    if (queue_) queue_->give_back(head_, written_);
}

}  // namespace sheaf::virtio

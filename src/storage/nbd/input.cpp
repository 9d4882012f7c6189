#include "storage/nbd/input.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace sheaf::nbd {

// What comes goes into `first` and then, where the buffer is empty, into the buffer, in one call.
io::Task<std::size_t> Input::read_more(std::span<std::byte> first) {
    const auto room = buffer_.bytes().subspan(end_);
    if (room.empty() && first.empty()) co_await fail(Kind::exhausted, "no memory for requests");
    const std::array<iovec, 2> pieces{iovec{first.data(), first.size()},
                                      iovec{room.data(), room.size()}};
    const auto vectors = std::span{pieces}.subspan(first.empty() ? 1 : 0);
    const auto count = co_await loop_.read_stream(descriptor_, vectors);
    if (count > first.size()) end_ += count - first.size();
    co_return count;
}

io::Task<bool> Input::fill(std::size_t length) {
    if (buffered() >= length) co_return true;
    const auto held = buffered();
    const auto bytes = buffer_.bytes();
    if (held > 0) std::memmove(bytes.data(), bytes.data() + begin_, held);
    begin_ = 0;
    end_ = held;
    while (buffered() < length) {
        const auto count = co_await read_more({});
        if (count > 0) continue;
        if (buffered() == 0) co_return false;
        co_await fail(Kind::corrupt, "the connection ended in the middle of a message");
    }
    co_return true;
}

std::span<const std::byte> Input::take(std::size_t length) {
    const auto taken = buffer_.bytes().subspan(begin_, length);
    begin_ += length;
    return taken;
}

io::Task<void> Input::receive(std::span<std::byte> target) {
    const auto here = std::min(buffered(), target.size());
    std::ranges::copy(take(here), target.begin());
    target = target.subspan(here);
    if (target.empty()) co_return;
    begin_ = end_ = 0;
    while (!target.empty()) {
        const auto count = co_await read_more(target);
        if (count == 0)
            co_await fail(Kind::corrupt, "the connection ended in the middle of a message");
        target = target.subspan(std::min(count, target.size()));
    }
}

io::Task<void> Input::skip(std::uint64_t length) {
    while (length > 0) {
        const auto step = std::min<std::uint64_t>(length, capacity);
        const auto here = std::min<std::uint64_t>(step, std::max<std::size_t>(buffered(), 1));
        const auto more = co_await fill(here);
        if (!more) co_await fail(Kind::corrupt, "the connection ended in the middle of a message");
        take(here);
        length -= here;
    }
}

}  // namespace sheaf::nbd

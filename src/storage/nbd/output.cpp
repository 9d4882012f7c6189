#include "storage/nbd/output.h"

#include <algorithm>
#include <climits>

namespace sheaf::nbd {

namespace {

// Takes the first `count` bytes away.
std::span<iovec> advance(std::span<iovec> pieces, std::size_t count) {
    while (!pieces.empty() && count >= pieces.front().iov_len) {
        count -= pieces.front().iov_len;
        pieces = pieces.subspan(1);
    }
    if (count > 0) {
        auto& front = pieces.front();
        front.iov_base = static_cast<std::byte*>(front.iov_base) + count;
        front.iov_len -= count;
    }
    return pieces;
}

}  // namespace

io::Task<void> send_all(io::Loop& loop, int descriptor, std::span<const std::byte> bytes) {
    while (!bytes.empty()) bytes = bytes.subspan(co_await loop.write_stream(descriptor, bytes));
}

io::Task<void> send_all(io::Loop& loop, int descriptor, std::span<iovec> pieces) {
    while (!pieces.empty()) {
        const auto now = pieces.first(std::min<std::size_t>(pieces.size(), IOV_MAX));
        const auto count = co_await loop.write_stream(descriptor, std::span<const iovec>{now});
        pieces = advance(pieces, count);
    }
}

}  // namespace sheaf::nbd

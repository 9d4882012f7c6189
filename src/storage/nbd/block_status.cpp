#include "storage/nbd/block_status.h"

#include <algorithm>

namespace sheaf::nbd {

namespace {

using Number = BigEndian<std::uint32_t>;

void put_extent(WireBuffer& payload, std::uint64_t length, std::uint32_t state) {
    payload.put(Number{static_cast<std::uint32_t>(length)});
    payload.put(Number{state});
}

// Neighbours whose kinds mean the same become one. No more than was asked for: its length has 32
// bits.
WireBuffer describe(const MetaContext& context, const Request& request,
                    std::span<const storage::Extent> extents) {
    WireBuffer payload;
    payload.put(Number{context.id});
    std::uint64_t left = request.length;
    std::uint64_t length = 0;
    std::uint32_t state = 0;
    for (const auto& extent : extents) {
        const auto now = state_of(context.meaning, extent.kind);
        if (length > 0 && now != state) {
            put_extent(payload, std::exchange(length, 0), state);
            if (request.has(command_req_one)) return payload;
        }
        state = now;
        const auto step = std::min(extent.length, left);
        length += step;
        left -= step;
    }
    put_extent(payload, length, state);
    return payload;
}

}  // namespace

io::Task<Reply> block_status(Request request, std::span<const MetaContext> contexts) {
    auto reply = Reply::of_chunks(request);
    const auto most = request.has(command_req_one) ? 1 : most_extents;
    for (const auto& context : contexts) {
        const auto extents =
            co_await context.extents->extents(request.offset, request.length, most);
        if (extents.empty()) co_await fail(Kind::corrupt, "the disk does not know what it holds");
        reply.add_status(describe(context, request, extents).bytes());
    }
    reply.finish();
    co_return reply;
}

}  // namespace sheaf::nbd

#include "storage/nbd/service.h"

#include <sys/uio.h>

#include <cerrno>

#include "storage/nbd/block_status.h"

namespace sheaf::nbd {

namespace {

constexpr std::size_t most_parts = 64;  // of one reply to a read

}  // namespace

Service::Service(Agreed agreed) : agreed_(std::move(agreed)), block_(*agreed_.exported.block) {
    offer_.geometry = block_.geometry();
    offer_.geometry.read_only |= agreed_.exported.read_only;
    offer_.flags = transmission_flags(agreed_.exported, agreed_.structured);
    offer_.contexts = agreed_.contexts.size();
}

io::Task<Reply> Service::carry_out(Request request, storage::AlignedBuffer payload) {
    switch (request.command) {
        case Command::read: return read(request);
        case Command::write: return write(request, std::move(payload));
        case Command::trim: return trim(request);
        case Command::write_zeroes: return write_zeroes(request);
        case Command::block_status: return block_status(request, agreed_.contexts);
        case Command::flush:
        case Command::disconnect: break;
    }
    return flush(request);
}

io::Task<Reply> Service::read(Request request) {
    const std::size_t length = request.length;
    storage::AlignedBuffer content{align_up(length, storage::AlignedBuffer::alignment)};
    if (content.bytes().empty()) co_await Failure{Error::from_os(ENOMEM, "holding what is read")};
    const auto whole = !agreed_.structured || request.has(command_df) ||
                       !agreed_.exported.extents || request.length < sparse_read;
    if (!whole) co_return co_await read_sparse(request, std::move(content));
    const iovec piece{content.bytes().data(), length};
    co_await block_.read(request.offset, std::span{&piece, 1});
    co_return Reply::read(request, std::move(content), agreed_.structured);
}

// A write beside it may fill a hole meanwhile; then this read came before that write.
io::Task<Reply> Service::read_sparse(Request request, storage::AlignedBuffer content) {
    auto extents =
        co_await agreed_.exported.extents->extents(request.offset, request.length, most_parts - 1);
    std::uint64_t known = 0;
    for (const auto& extent : extents) known += extent.length;
    // What is too scattered to tell is read.
    if (known < request.length)
        extents.push_back({request.length - known, storage::Extent::Kind::data});
    const auto bytes = content.bytes();
    auto reply = Reply::of_chunks(request, std::move(content));
    auto offset = request.offset;
    for (const auto& extent : extents) {
        const auto length = static_cast<std::uint32_t>(extent.length);
        if (extent.kind == storage::Extent::Kind::data) {
            const iovec piece{bytes.data() + (offset - request.offset), length};
            co_await block_.read(offset, std::span{&piece, 1});
            reply.add_data(offset, length);
        } else {
            reply.add_hole(offset, length);
        }
        offset += length;
    }
    reply.finish();
    co_return reply;
}

io::Task<Reply> Service::write(Request request, storage::AlignedBuffer payload) {
    const iovec piece{payload.bytes().data(), request.length};
    co_await block_.write(request.offset, std::span{&piece, 1});
    co_return co_await finish(request);
}

io::Task<Reply> Service::flush(Request request) {
    // What cannot be written needs no flush.
    if (!offer_.geometry.read_only) co_await block_.flush();
    co_return Reply::success(request);
}

io::Task<Reply> Service::trim(Request request) {
    co_await block_.discard(request.offset, request.length);
    co_return co_await finish(request);
}

io::Task<Reply> Service::write_zeroes(Request request) {
    const auto unit = agreed_.exported.fast_zero_unit;
    const auto fast = unit > 0 && (request.offset | request.length) % unit == 0;
    if (request.has(command_fast_zero) && !fast) {
        const Refusal refusal{WireError::not_supported, "zeros would have to be written"};
        co_return Reply::failure(request, refusal, agreed_.structured);
    }
    const auto space =
        request.has(command_no_hole) ? storage::Space::keep : storage::Space::release;
    co_await block_.zero(request.offset, request.length, space);
    co_return co_await finish(request);
}

// What changed something is answered when that is stable, where the client wants it so.
io::Task<Reply> Service::finish(Request request) {
    if (request.has(command_fua)) co_await block_.flush();
    co_return Reply::success(request);
}

}  // namespace sheaf::nbd

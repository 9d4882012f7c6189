#include "storage/nbd/reply.h"

#include <sys/uio.h>

#include "base/utf8.h"

namespace sheaf::nbd {

namespace {

constexpr std::size_t longest_message = 1024;

struct ErrorHeader {
    BigEndian<std::uint32_t> error;
    BigEndian<std::uint16_t> length;
};

struct HolePayload {
    BigEndian<std::uint64_t> offset;
    BigEndian<std::uint32_t> length;
};

}  // namespace

Reply Reply::success(const Request& request) {
    Reply reply{request};
    SimpleReplyHeader header;
    header.cookie = request.cookie;
    reply.put_bytes(bytes_of(header));
    return reply;
}

Reply Reply::failure(const Request& request, const Refusal& refusal, bool structured) {
    Reply reply{request};
    const auto error = static_cast<std::uint32_t>(refusal.error);
    if (!structured) {
        SimpleReplyHeader header;
        header.error = error;
        header.cookie = request.cookie;
        reply.put_bytes(bytes_of(header));
        return reply;
    }
    const auto text = as_bytes(utf8_prefix(refusal.text, longest_message));
    ErrorHeader header;
    header.error = error;
    header.length = static_cast<std::uint16_t>(text.size());
    reply.put_chunk(Chunk::error, chunk_done, sizeof(header) + text.size());
    reply.put_bytes(bytes_of(header));
    reply.put_bytes(text);
    return reply;
}

Reply Reply::read(const Request& request, storage::AlignedBuffer content, bool structured) {
    auto reply = structured ? Reply{request} : success(request);
    reply.content_.emplace(std::move(content));
    if (structured) {
        const BigEndian<std::uint64_t> offset{request.offset};
        reply.put_chunk(Chunk::offset_data, chunk_done, sizeof(offset) + request.length);
        reply.put_bytes(bytes_of(offset));
    }
    reply.put_content(request.offset, request.length);
    return reply;
}

Reply Reply::of_chunks(const Request& request) {
    return Reply{request};
}

Reply Reply::of_chunks(const Request& request, storage::AlignedBuffer content) {
    Reply reply{request};
    reply.content_.emplace(std::move(content));
    return reply;
}

void Reply::add_data(std::uint64_t offset, std::uint32_t length) {
    const BigEndian<std::uint64_t> place{offset};
    put_chunk(Chunk::offset_data, 0, sizeof(place) + length);
    put_bytes(bytes_of(place));
    put_content(offset, length);
}

void Reply::add_hole(std::uint64_t offset, std::uint32_t length) {
    HolePayload hole;
    hole.offset = offset;
    hole.length = length;
    put_chunk(Chunk::offset_hole, 0, sizeof(hole));
    put_bytes(bytes_of(hole));
}

void Reply::add_status(std::span<const std::byte> payload) {
    put_chunk(Chunk::block_status, 0, payload.size());
    put_bytes(payload);
}

void Reply::finish() {
    put_chunk(Chunk::none, chunk_done, 0);
}

void Reply::put_chunk(Chunk type, std::uint16_t flags, std::size_t length) {
    ChunkHeader header;
    header.flags = flags;
    header.type = static_cast<std::uint16_t>(type);
    header.cookie = request_.cookie;
    header.length = static_cast<std::uint32_t>(length);
    put_bytes(bytes_of(header));
}

void Reply::put_bytes(std::span<const std::byte> bytes) {
    const auto begin = headers_.size();
    headers_.put_bytes(bytes);
    if (!parts_.empty() && !parts_.back().is_content) {
        parts_.back().length += bytes.size();
    } else {
        parts_.push_back({.is_content = false, .offset = begin, .length = bytes.size()});
    }
}

void Reply::put_content(std::uint64_t offset, std::uint32_t length) {
    parts_.push_back({.is_content = true, .offset = offset - request_.offset, .length = length});
}

void Reply::append_to(std::vector<iovec>& pieces) {
    for (const auto& part : parts_) {
        const auto whole = part.is_content ? content_->bytes() : headers_.bytes();
        const auto bytes = whole.subspan(part.offset, part.length);
        pieces.push_back({bytes.data(), bytes.size()});
    }
}

}  // namespace sheaf::nbd

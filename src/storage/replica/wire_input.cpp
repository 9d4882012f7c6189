#include "storage/replica/wire_input.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace sheaf::replica {

io::Task<bool> WireInput::fill(std::size_t length) {
    if (end_ - begin_ >= length) co_return true;
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    while (end_ < length) {
        const auto count = co_await stream_.receive(std::span{buffer_}.subspan(end_));
        if (count == 0 && end_ == 0) co_return false;
        if (count == 0) co_await fail(Kind::corrupt, "the stream ended within a message");
        end_ += count;
    }
    co_return true;
}

io::Task<std::optional<Header>> WireInput::next_header() {
    const auto more = co_await fill(sizeof(Header));
    if (!more) co_return std::nullopt;
    auto header = co_await parse_header(std::span{buffer_}.subspan(begin_, sizeof(Header)));
    begin_ += sizeof(Header);
    co_return header;
}

io::Task<Bytes> WireInput::payload_of(Header header) {
    Bytes payload(header.payload_length);
    const auto here = std::min(end_ - begin_, payload.size());
    std::copy_n(buffer_.data() + begin_, here, payload.data());
    begin_ += here;
    for (auto at = here; at < payload.size();) {
        const auto count = co_await stream_.receive(std::span{payload}.subspan(at));
        if (count == 0) co_await fail(Kind::corrupt, "the stream ended within a message");
        at += count;
    }
    co_await check_payload(header, payload);
    co_return payload;
}

io::Task<std::optional<Message>> WireInput::next() {
    const auto header = co_await next_header();
    if (!header) co_return std::nullopt;
    auto payload = co_await payload_of(*header);
    co_return Message{*header, std::move(payload)};
}

}  // namespace sheaf::replica

#include "storage/pool/line_channel.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"

namespace sheaf::pool {

io::Task<std::optional<std::string>> LineChannel::receive() {
    std::size_t looked_at = 0;
    while (true) {
        const auto end = received_.find('\n', looked_at);
        if (std::min(end, received_.size()) > longest_)
            co_await fail(Kind::invalid, "a line of more than {} bytes", longest_);
        if (end != received_.npos) {
            auto line = received_.substr(0, end);
            received_.erase(0, end + 1);
            co_return line;
        }
        looked_at = received_.size();
        std::array<std::byte, 4096> buffer;
        const auto count = co_await loop_->recv(socket_.get(), buffer, 0);
        if (count == 0) co_return std::nullopt;
        received_ += as_text(std::span{buffer}.first(count));
    }
}

io::Task<void> LineChannel::send(std::string line) {
    to_send_.erase(0, std::exchange(sent_, 0));
    to_send_ += line;
    to_send_ += '\n';
    while (sent_ < to_send_.size()) {
        const auto rest = as_bytes(to_send_).subspan(sent_);
        sent_ += co_await loop_->send(socket_.get(), rest, MSG_NOSIGNAL);
    }
}

}  // namespace sheaf::pool

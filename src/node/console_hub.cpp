#include "node/console_hub.h"

#include <sys/socket.h>

#include <array>

#include "base/bytes.h"
#include "io/task_group.h"

namespace sheaf::node {

namespace {

// Bytes that wait for the guest. What is typed faster than it reads is dropped, as by a terminal.
constexpr std::size_t typed_room = 64_KiB;

}  // namespace

io::Task<void> ConsoleHub::show(std::span<const std::byte> bytes) {
    ring_.append(bytes);
    for (auto place = clients_.begin(); place != clients_.end();) {
        auto& client = **place++;  // which may leave the list as soon as it hears of it
        client.pending += as_text(bytes);
        if (client.pending.size() > 2 * kept) client.gone = true;
        client.news.set();
    }
    co_return;
}

io::Task<std::size_t> ConsoleHub::type(std::span<std::byte> bytes) {
    co_await has_typed_.wait();
    const auto count = std::min(bytes.size(), typed_.size());
    std::ranges::copy(as_bytes(typed_).first(count), bytes.begin());
    typed_.erase(0, count);
    if (typed_.empty()) has_typed_.clear();
    co_return count;
}

io::Task<void> ConsoleHub::attach(Fd socket, ConsoleHistory history) {
    Client client{.socket = std::move(socket), .pending = std::string{tail(history)}, .news = {}};
    const auto place = clients_.insert(clients_.end(), &client);
    io::TaskGroup typing;
    typing.start(take_typed(client));
    const auto sent = co_await send_shown(client).result();
    clients_.erase(place);
    typing.cancel();
    static_cast<void>(co_await typing.join().result());  // its end was asked for
    co_await sent;
}

void ConsoleHub::end() {
    ended_ = true;
    for (auto place = clients_.begin(); place != clients_.end();) (*place++)->news.set();
}

io::Task<void> ConsoleHub::send_shown(Client& client) {
    while (!client.gone) {
        client.news.clear();
        if (client.pending.empty() && ended_) co_return;
        if (client.pending.empty()) {
            co_await client.news.wait();
            continue;
        }
        const auto sending = std::exchange(client.pending, {});
        for (auto rest = as_bytes(sending); !rest.empty() && !client.gone;)
            rest = rest.subspan(co_await loop_.send(client.socket.get(), rest, MSG_NOSIGNAL));
    }
}

io::Task<void> ConsoleHub::take_typed(Client& client) {
    std::array<std::byte, 4096> buffer;
    while (true) {
        const auto count = co_await loop_.recv(client.socket.get(), buffer, 0).result();
        if (!count && count.error().kind() == Kind::cancelled) co_await Failure{count.error()};
        if (!count || *count == 0) break;
        keep_typed(as_text(std::span{buffer}.first(*count)));
    }
    client.gone = true;
    client.news.set();
}

void ConsoleHub::keep_typed(std::string_view typed) {
    typed_ += typed.substr(0, typed_room - std::min(typed_room, typed_.size()));
    if (!typed_.empty()) has_typed_.set();
}

}  // namespace sheaf::node

#include "http/websocket.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/defer.h"
#include "io/time_limit.h"

namespace sheaf::http {

namespace {

std::string lower(std::string_view text) {
    std::string small{text};
    std::ranges::transform(small, small.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    });
    return small;
}

// Whether a header's list, of all headers of that name, has the word.
bool lists(const ReceivedRequest& request, std::string_view name, std::string_view word) {
    for (const auto& header : request.headers) {
        if (lower(header.name) != name) continue;
        auto rest = std::string_view{header.value};
        while (!rest.empty()) {
            const auto end = std::min(rest.find(','), rest.size());
            auto one = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            while (one.starts_with(' ') || one.starts_with('\t')) one.remove_prefix(1);
            while (one.ends_with(' ') || one.ends_with('\t')) one.remove_suffix(1);
            if (lower(one) == lower(word)) return true;
        }
    }
    return false;
}

Reply refusal(unsigned status, std::string text) {
    Reply reply{.status = status, .headers = {}, .body = std::move(text) + "\n"};
    reply.headers.push_back({"Content-Type", "text/plain"});
    if (status == 426) {
        reply.headers.push_back({"Upgrade", "websocket"});
        reply.headers.push_back({"Sec-WebSocket-Version", "13"});
    }
    return reply;
}

// Why a request is no handshake; none where it is one.
std::optional<Reply> refusal_of(const ReceivedRequest& request, std::string_view protocol) {
    if (request.method != "GET" || request.is_http_1_0 || !lists(request, "upgrade", "websocket") ||
        !lists(request, "connection", "upgrade"))
        return refusal(426, "this is spoken by WebSocket (RFC 6455)");
    if (request.header("Sec-WebSocket-Version") != "13")
        return refusal(426, "version 13 of WebSocket alone is spoken");
    if (accept_key(request.header("Sec-WebSocket-Key")).empty())
        return refusal(400, "Sec-WebSocket-Key: 16 bytes as base64 are needed");
    if (!lists(request, "sec-websocket-protocol", protocol))
        return refusal(400, fmt::format("Sec-WebSocket-Protocol: {} alone is spoken", protocol));
    return {};
}

}  // namespace

io::Task<bool> WebSocket::shake_hands(Exchange& exchange, std::string protocol) {
    const auto& request = exchange.request();
    if (auto refused = refusal_of(request, protocol)) {
        co_await exchange.reply(*std::move(refused));
        co_return false;
    }
    std::vector<Header> headers;
    headers.push_back({"Upgrade", "websocket"});
    headers.push_back({"Sec-WebSocket-Accept", accept_key(request.header("Sec-WebSocket-Key"))});
    headers.push_back({"Sec-WebSocket-Protocol", std::move(protocol)});
    co_await exchange.switch_protocol(std::move(headers));
    co_return true;
}

io::Task<std::optional<WebSocketEvent>> WebSocket::next_event() {
    if (auto early = std::exchange(exchange_.received(), {}); !early.empty())
        parser_.add(as_bytes(early));
    std::array<std::byte, 4096> buffer;
    while (true) {
        auto event = parser_.next();
        if (!event) {
            co_await end(event.error());
            co_return std::nullopt;
        }
        if (*event) co_return *std::move(event);
        const auto count = co_await exchange_.stream().receive(buffer);
        if (count == 0) co_return std::nullopt;
        parser_.add(std::span{buffer}.first(count));
    }
}

io::Task<std::optional<std::string>> WebSocket::receive() {
    while (true) {
        auto event = co_await next_event();
        if (!event) co_return std::nullopt;
        switch (event->type) {
            case WebSocketEvent::Type::message:
                if (!event->payload.empty()) co_return std::move(event->payload);
                break;
            case WebSocketEvent::Type::ping: co_await put(pong_frame(event->payload)); break;
            case WebSocketEvent::Type::pong: break;
            case WebSocketEvent::Type::close:
                co_await end(CloseCode::normal);
                co_return std::nullopt;
        }
    }
}

io::Task<void> WebSocket::send(std::string message) {
    if (!closed_) co_await put(binary_frame(message));
}

io::Task<void> WebSocket::end(CloseCode code) {
    if (closed_) co_return;
    closed_ = true;
    co_await put(close_frame(code));
}

// Who finds somebody sending adds to what is sent, and waits for it: a message and the answer to a
// ping are at most two.
io::Task<void> WebSocket::put(std::string frame) {
    outbox_ += frame;
    if (sending_) {
        co_await sent_.wait();
        co_return;
    }
    sending_ = true;
    sent_.clear();
    const Defer done{[this] {
        sending_ = false;
        sent_.set();
    }};
    while (!outbox_.empty()) {
        const auto now = std::exchange(outbox_, {});
        co_await io::within(exchange_.loop(), exchange_.patience(),
                            exchange_.stream().send(as_bytes(now)));
    }
}

}  // namespace sheaf::http

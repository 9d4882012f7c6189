#include "http/websocket_client.h"

#include <sys/random.h>

#include <array>

#include "base/base64.h"
#include "base/big_endian.h"
#include "base/bytes.h"
#include "http/response_parser.h"
#include "http/websocket_frames.h"

namespace sheaf::http {

namespace {

// RFC 6455, section 5.2.
enum Code : unsigned {
    continuation = 0,
    text = 1,
    binary = 2,
    close_code = 8,
    ping = 9,
    pong = 10
};
constexpr unsigned last_frame = 0x80;
constexpr unsigned masked = 0x80;
constexpr std::size_t longest_refusal = std::size_t{1} << 20;

template <std::size_t size>
std::array<char, size> random_bytes() {
    std::array<char, size> bytes{};
    // Of so few bytes the kernel gives all, or does not return.
    static_cast<void>(::getrandom(bytes.data(), bytes.size(), 0));
    return bytes;
}

std::string number_bytes(std::uint64_t number, std::size_t count) {
    std::string bytes;
    for (std::size_t i = count; i-- > 0;) bytes += static_cast<char>(number >> (8 * i) & 0xff);
    return bytes;
}

// A client's frames are masked (section 5.3).
std::string client_frame(Code code, std::string payload) {
    std::string frame;
    frame += static_cast<char>(last_frame | code);
    const auto size = payload.size();
    if (size < 126) {
        frame += static_cast<char>(masked | size);
    } else if (size < 65536) {
        frame += static_cast<char>(masked | 126) + number_bytes(size, 2);
    } else {
        frame += static_cast<char>(masked | 127) + number_bytes(size, 8);
    }
    const auto mask = random_bytes<4>();
    frame.append(mask.data(), mask.size());
    for (std::size_t i = 0; i < size; ++i)
        payload[i] = static_cast<char>(payload[i] ^ mask[i % mask.size()]);
    return frame + payload;
}

std::string request_text(const std::string& target, const std::string& protocol,
                         const std::string& key) {
    return fmt::format(
        "GET {} HTTP/1.1\r\nHost: sheaf\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
        target, key, protocol);
}

}  // namespace

Result<std::optional<ServerFrames::Frame>> ServerFrames::next() {
    const auto byte = [&](std::size_t at) -> unsigned {
        return static_cast<unsigned char>(received_[at]);
    };
    if (received_.size() < 2) return std::nullopt;
    const auto code = byte(0) & 0x0f;
    const bool control = code >= close_code;
    if ((byte(0) & 0x70) != 0 || code > pong || (code > binary && !control))
        return fail(Kind::corrupt, "it is no frame of a WebSocket");
    if ((byte(1) & masked) != 0) return fail(Kind::corrupt, "a server's frame is masked");
    std::uint64_t length = byte(1) & 0x7f;
    if (control && (length > 125 || (byte(0) & last_frame) == 0))
        return fail(Kind::corrupt, "a control frame that is long, or in pieces");
    const std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (received_.size() < 2 + more) return std::nullopt;
    if (more > 0) length = 0;
    for (std::size_t i = 0; i < more; ++i) length = length << 8 | byte(2 + i);
    if (length > longest_payload)
        return fail(Kind::corrupt, "a frame of more than {} bytes", longest_payload);
    if (received_.size() < 2 + more + length) return std::nullopt;
    Frame frame{Type::data, received_.substr(2 + more, length)};
    if (control)
        frame.type = code == close_code ? Type::close : code == ping ? Type::ping : Type::pong;
    received_.erase(0, 2 + more + length);
    return frame;
}

io::Task<std::string> WebSocketClient::receive_some() {
    std::array<std::byte, 16384> buffer;
    const auto count = co_await stream_->receive(buffer);
    if (count == 0) co_await fail(Kind::unavailable, "the server has hung up");
    co_return std::string{as_text(std::span{buffer}.first(count))};
}

io::Task<Response> WebSocketClient::shake_hands(std::string target, std::string protocol) {
    const auto random = random_bytes<16>();
    const auto key = to_base64({random.data(), random.size()});
    const auto asking = request_text(target, protocol, key);
    co_await stream_->send(as_bytes(asking));
    ResponseParser parser;
    std::string received;
    Response response;
    while (!parser.is_done()) {
        received += co_await receive_some();
        const auto taken = co_await parser.take(as_bytes(received));
        received.erase(0, taken);
        response.body += parser.take_body();
        if (response.body.size() + received.size() > longest_refusal)
            co_await fail(Kind::exhausted, "an answer of more than {} bytes", longest_refusal);
    }
    response.status = parser.status();
    if (response.status != 101) co_return response;
    const auto accepted = parser.values_of("Sec-WebSocket-Accept");
    const auto spoken = parser.values_of("Sec-WebSocket-Protocol");
    if (accepted.size() != 1 || accepted[0] != accept_key(key) || spoken.size() != 1 ||
        spoken[0] != protocol)
        co_await fail(Kind::corrupt, "the server's handshake is none");
    frames_.add(received);
    co_return response;
}

io::Task<std::optional<std::string>> WebSocketClient::receive() {
    while (true) {
        auto frame = co_await frames_.next();
        if (!frame) {
            const auto more = co_await receive_some();
            frames_.add(more);
            continue;
        }
        if (frame->type == ServerFrames::Type::close) {
            static_cast<void>(co_await end().result());  // it may have gone already
            co_return std::nullopt;
        }
        if (frame->type == ServerFrames::Type::ping) {
            auto answer = client_frame(pong, std::move(frame->payload));
            co_await put(std::move(answer));
        } else if (frame->type == ServerFrames::Type::data && !frame->payload.empty()) {
            co_return std::move(frame->payload);
        }
    }
}

io::Task<void> WebSocketClient::send(std::string bytes) {
    auto frame = client_frame(binary, std::move(bytes));
    co_await put(std::move(frame));
}

io::Task<void> WebSocketClient::end() {
    auto frame = client_frame(close_code, number_bytes(1000, 2));
    co_await put(std::move(frame));
}

// Whoever is sending sends what others have put behind it, too.
io::Task<void> WebSocketClient::put(std::string frame) {
    outbox_ += frame;
    if (sending_) co_return;
    sending_ = true;
    while (!outbox_.empty()) {
        const auto bytes = std::exchange(outbox_, {});
        co_await stream_->send(as_bytes(bytes));
    }
    sending_ = false;
}

}  // namespace sheaf::http

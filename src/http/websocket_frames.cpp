#include "http/websocket_frames.h"

#include <array>
#include <utility>

#include <nettle/sha1.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/utf8.h"

namespace sheaf::http {

namespace {

using Failed = std::unexpected<CloseCode>;

// Section 5.2.
constexpr unsigned continuation = 0;
constexpr unsigned text = 1;
constexpr unsigned binary = 2;
constexpr unsigned close = 8;
constexpr unsigned ping = 9;
constexpr unsigned pong = 10;
constexpr std::uint8_t last_bit = 0x80;
constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::size_t mask_size = 4;
constexpr std::size_t longest_control = 125;

bool is_control(unsigned code) {
    return (code & 8) != 0;
}

std::uint8_t byte_at(std::string_view bytes, std::size_t place) {
    return static_cast<std::uint8_t>(bytes[place]);
}

bool is_text(std::string_view rest) {
    while (!rest.empty()) {
        const auto length = utf8_length(rest);
        if (length == 0) return false;
        rest.remove_prefix(length);
    }
    return true;
}

// The codes that may be sent: section 7.4.
bool is_close(std::string_view payload) {
    if (payload.empty()) return true;
    if (payload.size() == 1) return false;
    const auto code = byte_at(payload, 0) * 256U + byte_at(payload, 1);
    const auto known = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                       (code >= 3000 && code < 5000);
    return known && is_text(payload.substr(2));
}

std::string frame(unsigned code, std::string_view payload) {
    std::string made;
    made += static_cast<char>(last_bit | code);
    std::size_t length_bytes = 0;
    if (payload.size() <= longest_control) {
        made += static_cast<char>(payload.size());
    } else if (payload.size() <= 0xffff) {
        made += static_cast<char>(126);
        length_bytes = 2;
    } else {
        made += static_cast<char>(127);
        length_bytes = 8;
    }
    while (length_bytes-- > 0)
        made += static_cast<char>((std::uint64_t{payload.size()} >> (8 * length_bytes)) & 0xff);
    return made.append(payload);
}

}  // namespace

void WebSocketParser::add(std::span<const std::byte> bytes) {
    received_ += as_text(bytes);
}

std::expected<std::optional<WebSocketEvent>, CloseCode> WebSocketParser::next() {
    while (true) {
        const auto head = read_head();
        if (!head) return Failed{head.error()};
        if (!*head) return std::nullopt;
        if (const auto checked = check(**head); !checked) return Failed{checked.error()};
        if (received_.size() - (*head)->size < (*head)->length) return std::nullopt;
        auto event = complete(**head, take_payload(**head));
        if (!event || *event) return event;
    }
}

std::expected<std::optional<WebSocketParser::Head>, CloseCode> WebSocketParser::read_head() const {
    if (received_.size() < 2) return std::nullopt;
    const auto first = byte_at(received_, 0);
    const auto second = byte_at(received_, 1);
    if ((first & reserved_bits) != 0 || (second & mask_bit) == 0)
        return Failed{CloseCode::protocol_error};
    Head head{.last = (first & last_bit) != 0, .code = first & 0xfU, .length = second & 0x7fU};
    const std::size_t more = head.length == 127 ? 8 : head.length == 126 ? 2 : 0;
    head.size = 2 + more + mask_size;
    if (received_.size() < head.size) return std::nullopt;
    if (more == 0) return head;
    head.length = 0;
    for (std::size_t place = 2; place < 2 + more; ++place)
        head.length = head.length << 8 | byte_at(received_, place);
    // The shortest way to say it is the only one.
    if (head.length <= longest_control || (more == 8 && head.length <= 0xffff))
        return Failed{CloseCode::protocol_error};
    return head;
}

// Before the payload is there, so that nobody sends what is not taken.
std::expected<void, CloseCode> WebSocketParser::check(const Head& head) const {
    if (is_control(head.code)) {
        const auto known = head.code == close || head.code == ping || head.code == pong;
        if (!known || !head.last || head.length > longest_control)
            return Failed{CloseCode::protocol_error};
        return {};
    }
    const auto known =
        head.code == continuation ? continues_ : (head.code <= binary && !continues_);
    if (!known) return Failed{CloseCode::protocol_error};
    if (head.length > longest_message - message_.size()) return Failed{CloseCode::too_big};
    return {};
}

std::string WebSocketParser::take_payload(const Head& head) {
    const auto mask = received_.substr(head.size - mask_size, mask_size);
    auto payload = received_.substr(head.size, head.length);
    for (std::size_t place = 0; place < payload.size(); ++place)
        payload[place] = static_cast<char>(payload[place] ^ mask[place % mask_size]);
    received_.erase(0, head.size + head.length);
    return payload;
}

std::expected<std::optional<WebSocketEvent>, CloseCode> WebSocketParser::complete(
    const Head& head, std::string payload) {
    using Type = WebSocketEvent::Type;
    if (head.code == close && !is_close(payload)) return Failed{CloseCode::protocol_error};
    if (is_control(head.code)) {
        const auto type = head.code == close  ? Type::close
                          : head.code == ping ? Type::ping
                                              : Type::pong;
        return WebSocketEvent{type, std::move(payload)};
    }
    if (head.code != continuation) is_text_ = head.code == text;
    message_ += payload;
    continues_ = !head.last;
    if (continues_) return std::nullopt;
    if (is_text_ && !is_text(message_)) return Failed{CloseCode::not_text};
    return WebSocketEvent{Type::message, std::exchange(message_, {})};
}

std::string binary_frame(std::string_view payload) {
    return frame(binary, payload);
}

std::string pong_frame(std::string_view payload) {
    return frame(pong, payload);
}

std::string close_frame(CloseCode code) {
    const auto number = std::to_underlying(code);
    const std::array<char, 2> payload{static_cast<char>(number >> 8),
                                      static_cast<char>(number & 0xff)};
    return frame(close, {payload.data(), payload.size()});
}

std::string accept_key(std::string_view key) {
    const auto random = from_base64(key);
    if (!random || random->size() != 16) return {};
    constexpr std::string_view its_own = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const auto whole = std::string{key} + std::string{its_own};
    sha1_ctx context;
    sha1_init(&context);
    sha1_update(&context, whole.size(), octets(as_bytes(whole)));
    std::array<std::uint8_t, SHA1_DIGEST_SIZE> digest{};
    sha1_digest(&context, digest.size(), digest.data());
    return to_base64(as_text(std::as_bytes(std::span{digest})));
}

}  // namespace sheaf::http

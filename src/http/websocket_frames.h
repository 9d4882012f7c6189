#pragma once

// Why: messages in both directions over one connection (RFC 6455), out of bytes that anybody may
// have sent: every part is bounded, and what is against the protocol ends with the code that says
// so.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sheaf::http {

// RFC 6455, section 7.4.1.
enum class CloseCode : std::uint16_t {
    normal = 1000,
    going_away = 1001,
    protocol_error = 1002,
    unacceptable = 1003,
    not_text = 1007,
    too_big = 1009,
    internal = 1011,
};

struct WebSocketEvent {
    enum class Type : std::uint8_t { message, ping, pong, close };
    Type type = Type::message;
    std::string payload;  // of a close: the code and a reason, as they were sent
};

// What a client sends, frame by frame into messages. Nothing waits; any one thread.
class WebSocketParser {
  public:
    static constexpr std::size_t longest_message = 1 << 16;  // bytes

    // More bytes of the connection.
    void add(std::span<const std::byte> bytes);
    // The next thing that is whole; none until more bytes come. A failure is final, and the code to
    // close with.
    std::expected<std::optional<WebSocketEvent>, CloseCode> next();

  private:
    struct Head {
        bool last = false;
        unsigned code = 0;
        std::uint64_t length = 0;
        std::size_t size = 0;  // of the head itself, with the mask
    };
    std::expected<std::optional<Head>, CloseCode> read_head() const;
    std::expected<void, CloseCode> check(const Head& head) const;
    std::string take_payload(const Head& head);
    std::expected<std::optional<WebSocketEvent>, CloseCode> complete(const Head& head,
                                                                     std::string payload);

    std::string received_;
    std::string message_;     // so far
    bool continues_ = false;  // a message has begun
    bool is_text_ = false;
};

// Frames of a server.
std::string binary_frame(std::string_view payload);
std::string pong_frame(std::string_view payload);
std::string close_frame(CloseCode code);

// What a server answers to the key of a client (section 4.2.2): empty where it is no key.
std::string accept_key(std::string_view key);

}  // namespace sheaf::http

#pragma once

// Why: a machine's console is a connection of bytes inside HTTP (RFC 6455); here is the end of who
// looks at it.

#include <memory>
#include <optional>
#include <string>

#include "http/client_connection.h"
#include "io/byte_stream.h"

namespace sheaf::http {

// What a server sends, frame by frame. Whole messages are of no interest: pieces of them are given
// as they come. Nothing waits; any one thread.
class ServerFrames {
  public:
    static constexpr std::size_t longest_payload = std::size_t{1} << 20;  // bytes

    enum class Type : std::uint8_t { data, ping, pong, close };
    struct Frame {
        Type type = Type::data;
        std::string payload;
    };
    void add(std::string_view bytes) { received_ += bytes; }
    // The next frame; none until more has come. Fails with corrupt where it is none of a server's.
    Result<std::optional<Frame>> next();

  private:
    std::string received_;
};

// Loop thread only; one receive() and one send() at a time.
class WebSocketClient {
  public:
    explicit WebSocketClient(std::unique_ptr<io::ByteStream> stream) : stream_(std::move(stream)) {}

    // Asks for `target` with that subprotocol. The status is 101 where the connection is one; else
    // it is the server's refusal, with its body. Fails where what is said is no HTTP, or no
    // handshake.
    io::Task<Response> shake_hands(std::string target, std::string protocol);

    // What comes next, of any length but none; nothing once the server has closed in order.
    io::Task<std::optional<std::string>> receive();
    io::Task<void> send(std::string bytes);
    // Says that nothing more comes.
    io::Task<void> end();

  private:
    io::Task<std::string> receive_some();
    io::Task<void> put(std::string frame);

    std::unique_ptr<io::ByteStream> stream_;
    ServerFrames frames_;
    std::string outbox_;
    bool sending_ = false;
};

}  // namespace sheaf::http

// A WebSocket over a simulated connection, as a client sees it byte by byte.

#include "http/websocket.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/wall_clock.h"
#include "http/server_connection.h"
#include "io/sim_loop.h"
#include "io/time_limit.h"

namespace sheaf::http {
namespace {

// Sends back each message; "end" ends it.
class EchoSocket final : public Handler {
  public:
    io::Task<void> handle(Exchange& exchange) override {
        if (!co_await WebSocket::shake_hands(exchange, "echo")) co_return;
        WebSocket socket{exchange};
        while (auto message = co_await socket.receive()) {
            if (*message == "end") break;
            co_await socket.send(*std::move(message));
        }
        co_await socket.end(CloseCode::normal);
        co_await socket.send("nothing follows");
    }
};

std::string handshake(std::string_view more = "Sec-WebSocket-Protocol: other, Echo\r\n") {
    return fmt::format(
        "GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, "
        "Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{}\r\n",
        more);
}

// With a mask of zeros.
std::string frame(char first, std::string_view payload) {
    std::string made{first};
    made += static_cast<char>(0x80 | payload.size());
    return made + std::string(4, '\0') + std::string{payload};
}

class WebSockets : public testing::Test {
  protected:
    void SetUp() override { loop_->network().set_faults({.short_transfer = 0.3}); }
    // All that a client hears which says this, and then waits for the end.
    std::string talk(std::string said) {
        std::string heard;
        EXPECT_TRUE(io::run(*loop_, converse(std::move(said), heard)));
        EXPECT_FALSE(loop_->stalled());
        return heard;
    }

  private:
    static io::Task<void> hear(io::ByteStream& stream, std::string& heard) {
        std::array<std::byte, 4096> buffer{};
        while (const auto count = co_await stream.receive(buffer))
            heard += as_text(std::span{buffer}.first(count));
    }
    io::Task<void> converse(std::string said, std::string& heard) {
        auto ends = co_await loop_->network().connection();
        auto stream = std::make_unique<io::SocketStream>(*loop_, std::move(ends.second));
        ServerConnection connection{{*loop_, echo_, clock_, memory_}, std::move(stream), {}, {}};
        io::TaskGroup group;
        group.start(connection.serve());
        {
            io::SocketStream client{*loop_, std::move(ends.first)};
            static_cast<void>(co_await client.send(as_bytes(said)).result());
            static_cast<void>(
                co_await io::within(*loop_, std::chrono::hours{1}, hear(client, heard)).result());
        }
        co_await group.join();
    }

    std::unique_ptr<io::SimLoop> loop_ = io::SimLoop::create(5).value();
    EchoSocket echo_;
    HostClock clock_;
    MemoryBudget memory_{1 << 20};
};

TEST_F(WebSockets, MessagesGoBothWaysAndPingsAreAnswered) {
    const auto heard = talk(handshake() + frame('\x82', "hello") + frame('\x89', "p") +
                            frame('\x81', "text") + frame('\x82', "end") + frame('\x82', "late"));
    EXPECT_TRUE(heard.starts_with("HTTP/1.1 101 Switching Protocols\r\n")) << heard;
    EXPECT_NE(heard.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), heard.npos);
    EXPECT_NE(heard.find("Connection: Upgrade\r\n"), heard.npos);
    EXPECT_EQ(heard.find("close"), heard.npos);
    EXPECT_EQ(heard.substr(heard.find("\r\n\r\n") + 4),
              std::string{"\x82\x05hello\x8a\x01p\x82\x04text"} + std::string{"\x88\x02\x03\xe8"});
}

TEST_F(WebSockets, AClientThatClosesIsAnswered) {
    const auto heard = talk(handshake() + frame('\x88', "\x03\xe9 bye"));
    EXPECT_TRUE(heard.ends_with("\r\n\r\n\x88\x02\x03\xe8")) << heard;
}

TEST_F(WebSockets, AClientThatBreaksTheProtocolIsToldItsCode) {
    const auto heard = talk(handshake() + "\x82\x01x");
    EXPECT_TRUE(heard.ends_with("\x88\x02\x03\xea")) << heard;
}

TEST_F(WebSockets, WhatIsNoHandshakeIsAnsweredAsHttp) {
    EXPECT_TRUE(talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                    .starts_with("HTTP/1.1 426 "));
    EXPECT_TRUE(talk(handshake("Sec-WebSocket-Protocol: other\r\nConnection: close\r\n"))
                    .starts_with("HTTP/1.1 400 "));
}

}  // namespace
}  // namespace sheaf::http

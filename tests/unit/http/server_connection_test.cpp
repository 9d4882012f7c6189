// A client that says what it is told to, in pieces, against a connection of the server.

#include "http/server_connection.h"

#include <array>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/sim_loop.h"
#include "io/time_limit.h"

namespace sheaf::http {
namespace {

using std::chrono::seconds;

class StoppedClock final : public WallClock {
  public:
    TimePoint now() const override { return TimePoint{std::chrono::seconds{784111777}}; }
};

// Says what it was asked; "/stream" is three pieces, "/endless" is as many as anybody hears,
// "/fails" fails, "/silent" waits until it is cancelled.
class Echo final : public Handler {
  public:
    explicit Echo(io::Loop& loop) : loop_(loop) {}
    io::Task<void> handle(Exchange& exchange) override {
        const auto target = exchange.request().target;
        if (target == "/fails") co_await fail(Kind::io, "it failed");
        if (target == "/stream" || target == "/endless") co_return co_await stream(exchange);
        Reply reply{.status = 200, .headers = {}, .body = {}};
        reply.body = exchange.request().method + " " + target + " " + exchange.request().body;
        co_await exchange.reply(std::move(reply));
    }
    bool was_cancelled() const { return cancelled_; }

  private:
    io::Task<void> stream(Exchange& exchange) {
        std::vector<Header> none;
        co_await exchange.begin_stream(200, std::move(none));
        const auto pieces = exchange.request().target == "/stream" ? 3 : 1'000'000;
        for (int piece = 0; piece < pieces; ++piece) {
            const auto slept = co_await loop_.sleep(seconds{1}).result();
            if (!slept) cancelled_ = true;
            co_await slept;
            co_await exchange.send_piece("piece");
        }
    }

    io::Loop& loop_;
    bool cancelled_ = false;
};

class ServerConnections : public testing::Test {
  protected:
    void SetUp() override { loop_->network().set_faults({.short_transfer = 0.7}); }
    io::SimLoop& loop() { return *loop_; }
    Echo& echo() { return echo_; }

    // Everything that a client hears which says this and then waits as long for the end.
    std::string talk(std::string said, io::Duration patience = std::chrono::hours{1});

    std::unique_ptr<io::SimLoop> loop_ = io::SimLoop::create(1).value();
    Echo echo_{*loop_};
    StoppedClock clock_;
};

io::Task<void> hear(io::ByteStream& stream, std::string& heard) {
    std::array<std::byte, 4096> buffer{};
    while (const auto count = co_await stream.receive(buffer))
        heard += as_text(std::span{buffer}.first(count));
}

io::Task<void> converse(io::SimLoop& loop, Handler& handler, const WallClock& clock,
                        std::string said, io::Duration patience, std::string& heard) {
    auto ends = co_await loop.network().connection();
    auto server = std::make_unique<io::SocketStream>(loop, std::move(ends.second));
    MemoryBudget memory{4 << 20};
    ServerConnection connection{{loop, handler, clock, memory}, std::move(server), {}, {}};
    io::TaskGroup group;
    group.start(connection.serve());
    {
        io::SocketStream client{loop, std::move(ends.first)};
        // Of a client that is refused the rest is not heard.
        static_cast<void>(co_await client.send(as_bytes(said)).result());
        static_cast<void>(co_await io::within(loop, patience, hear(client, heard)).result());
    }
    co_await group.join();
}

std::string ServerConnections::talk(std::string said, io::Duration patience) {
    std::string heard;
    const auto done =
        io::run(loop(), converse(loop(), echo_, clock_, std::move(said), patience, heard));
    EXPECT_TRUE(done) << done.error().text();
    EXPECT_FALSE(loop().stalled());
    return heard;
}

std::size_t count_of(std::string_view text, std::string_view word) {
    std::size_t count = 0;
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
    return count;
}

TEST_F(ServerConnections, ARequestIsAnswered) {
    EXPECT_EQ(talk("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n"
              "Content-Length: 7\r\n\r\nGET /a ");
}

TEST_F(ServerConnections, RequestsSentAtOnceAreAnsweredInOrder) {
    std::string said;
    for (int number = 0; number < 50; ++number)
        said += fmt::format("PUT /{} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", number);
    const auto heard = talk(said);
    std::size_t place = 0;
    for (int number = 0; number < 50; ++number) {
        place = heard.find(fmt::format("PUT /{} hi", number), place);
        ASSERT_NE(place, heard.npos) << number;
    }
}

TEST_F(ServerConnections, AHeadIsAnsweredWithoutABody) {
    const auto heard = talk("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(heard.find("Content-Length: 8\r\n"), heard.npos);
    EXPECT_TRUE(heard.ends_with("\r\n\r\n"));
}

TEST_F(ServerConnections, AClientThatAsksIsToldToGoOn) {
    const auto heard =
        talk("PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
             seconds{5});
    EXPECT_TRUE(heard.starts_with("HTTP/1.1 100 Continue\r\n\r\n")) << heard;
}

TEST_F(ServerConnections, AStreamComesInChunksAndEndsTheConnection) {
    const auto heard = talk("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(heard.find("Transfer-Encoding: chunked\r\n\r\n5\r\npiece\r\n"), heard.npos) << heard;
    EXPECT_EQ(count_of(heard, "piece"), 3u);
    EXPECT_TRUE(heard.ends_with("\r\n0\r\n\r\n"));
    const auto old = talk("GET /stream HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(old.ends_with("\r\n\r\npiecepiecepiece")) << old;
}

TEST_F(ServerConnections, AStreamEndsWithItsClient) {
    const auto heard = talk("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n", seconds{10});
    EXPECT_LE(count_of(heard, "piece"), 10u);
    EXPECT_TRUE(echo().was_cancelled());
}

TEST_F(ServerConnections, WhoeverIsSlowIsToldSo) {
    EXPECT_TRUE(talk("GET /a HTTP/1.1\r\nHos").starts_with("HTTP/1.1 408 "));
    EXPECT_TRUE(talk("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhi")
                    .starts_with("HTTP/1.1 408 "));
    EXPECT_EQ(talk(""), "");
}

TEST_F(ServerConnections, WhatIsNoHttpIsRefusedAndCloses) {
    const auto heard = talk("nonsense\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(heard.starts_with("HTTP/1.1 400 ")) << heard;
    EXPECT_EQ(count_of(heard, "HTTP/1.1"), 1u);
    EXPECT_TRUE(talk("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n")
                    .starts_with("HTTP/1.1 413 "));
}

TEST_F(ServerConnections, AFailureIsAnAnswerToo) {
    const auto heard = talk("GET /fails HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(heard.starts_with("HTTP/1.1 500 ")) << heard;
    EXPECT_TRUE(heard.ends_with("it failed\n"));
}

}  // namespace
}  // namespace sheaf::http

// A client against a server that says what it is told to, in pieces: the parser is seen through it.

#include "http/client_connection.h"

#include <array>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/sim_loop.h"
#include "io/task_group.h"

namespace sheaf::http {
namespace {

class ClientConnections : public testing::Test {
  protected:
    void SetUp() override { loop_->network().set_faults({.short_transfer = 0.7}); }
    io::SimLoop& loop() { return *loop_; }

    // What comes of one request to a server that says this and closes.
    Result<Response> ask(std::string said, std::size_t limit = 1 << 20);
    const std::string& heard() const { return heard_; }
    bool is_free() const { return free_; }

  private:
    std::unique_ptr<io::SimLoop> loop_ = io::SimLoop::create(1).value();
    std::string heard_;
    bool free_ = false;
};

io::Task<void> serve(io::Loop& loop, Fd socket, std::string said, std::string& heard) {
    std::array<std::byte, 4096> buffer;
    heard.clear();
    while (!heard.ends_with("body")) {
        const auto count = co_await loop.recv(socket.get(), buffer, 0);
        if (count == 0) co_return;
        heard += as_text(std::span{buffer}.first(count));
    }
    for (auto rest = as_bytes(said); !rest.empty();)
        rest = rest.subspan(co_await loop.send(socket.get(), rest, 0));
}

io::Task<Response> converse(io::SimLoop& loop, std::string said, std::size_t limit,
                            std::string& heard, bool& free) {
    auto ends = co_await loop.network().connection();
    io::TaskGroup group;
    group.start(serve(loop, std::move(ends.second), std::move(said), heard));
    auto stream = std::make_unique<io::SocketStream>(loop, std::move(ends.first));
    ClientConnection connection{std::move(stream), "example:1"};
    Request request{.method = "POST", .target = "/a", .headers = {{"X", "y"}}, .body = "body"};
    auto response = co_await connection.ask(std::move(request), limit).result();
    free = connection.is_free();
    group.cancel();
    static_cast<void>(co_await group.join().result());  // nobody may hear the rest
    co_return co_await std::move(response);
}

Result<Response> ClientConnections::ask(std::string said, std::size_t limit) {
    return io::run(*loop_, converse(*loop_, std::move(said), limit, heard_, free_));
}

TEST_F(ClientConnections, ARequestIsWrittenAndAnAnswerRead) {
    const auto response = ask("HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello");
    ASSERT_TRUE(response) << response.error().text();
    EXPECT_EQ(response->status, 201u);
    EXPECT_EQ(response->body, "hello");
    EXPECT_EQ(heard(),
              "POST /a HTTP/1.1\r\nHost: example:1\r\nContent-Length: 4\r\nX: y\r\n\r\nbody");
}

TEST_F(ClientConnections, ABodyComesInChunksOrUntilTheEnd) {
    const auto chunked =
        ask("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n"
            "0\r\nTrailer: x\r\n\r\n");
    EXPECT_EQ(chunked.value().body, "hello world");
    EXPECT_EQ(ask("HTTP/1.1 200 OK\r\n\r\nuntil the end").value().body, "until the end");
    EXPECT_FALSE(is_free());
    EXPECT_EQ(ask("HTTP/1.1 204 No Content\r\n\r\n").value().body, "");
}

TEST_F(ClientConnections, WhatIsCutShortIsUnavailable) {
    for (const auto* said :
         {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
        const auto response = ask(said);
        ASSERT_FALSE(response) << said;
        EXPECT_EQ(response.error().kind(), Kind::unavailable) << response.error().text();
    }
}

TEST_F(ClientConnections, WhatIsNoHttpIsCorrupt) {
    for (const auto& said :
         {std::string{"SSH-2.0-OpenSSH\r\n\r\n"}, std::string{"HTTP/1.1 abc OK\r\n\r\n"},
          std::string{"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"},
          "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'),
          std::string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(100'000, 'x')}) {
        const auto response = ask(said);
        ASSERT_FALSE(response) << said.substr(0, 80);
        EXPECT_EQ(response.error().kind(), Kind::corrupt) << response.error().text();
    }
}

TEST_F(ClientConnections, WhatIsTooLongIsNotTakenIn) {
    const auto response = ask("HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x'), 50'000);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind(), Kind::exhausted);
}

}  // namespace
}  // namespace sheaf::http

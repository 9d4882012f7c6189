#include "node/keeper_server.h"

#include <stdlib.h>
#include <sys/socket.h>

#include <filesystem>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/byte_stream.h"
#include "io/make_loop.h"
#include "node/keeper_client.h"
#include "node/unix_socket.h"
#include "support/turns.h"

namespace sheaf::node {
namespace {

// A machine that does what it is told, when the test lets it.
class FakeMachine final : public KeptMachine {
  public:
    KeeperStatus status() const override { return now; }
    void on_change(std::function<void()> changed) override { changed_ = std::move(changed); }
    void press_power_button(std::chrono::seconds grace) override {
        graces.push_back(grace);
        now.stopping = true;
        changed_();
    }
    void force_off() override { forced = true; }
    void pause() override {
        wanted = true;
        changed_();
    }
    void resume() override {
        wanted = false;
        changed_();
    }
    bool wants_pause() const override { return wanted; }
    void refresh_disks() override { ++refreshed; }

    void enter(MachineState state) {
        now.state = state;
        changed_();
    }

    KeeperStatus now{.state = MachineState::running, .keeper = 1, .vmm = 2, .started_at = "t"};
    std::vector<std::chrono::seconds> graces;
    bool forced = false;
    bool wanted = false;
    int refreshed = 0;

  private:
    std::function<void()> changed_;
};

class KeeperServerTest : public testing::Test {
  protected:
    KeeperServerTest() {
        auto name = std::string{"/tmp/keeper_server_test.XXXXXX"};
        folder = ::mkdtemp(name.data());
        server.emplace(*loop, listen_at("socket", path(), 64).value(), machine, console,
                       KeeperIdentity{"uid", "cookie", "boot"});
    }
    ~KeeperServerTest() override {
        EXPECT_TRUE(io::run(*loop, server->end()));
        std::filesystem::remove_all(folder);
    }
    std::string path() const { return folder / "control"; }
    std::unique_ptr<KeeperClient> client() { return KeeperClient::connect(*loop, path()).value(); }
    std::unique_ptr<KeeperClient> greeted() {
        auto made = client();
        EXPECT_TRUE(io::run(*loop, made->greet()));
        return made;
    }
    Result<Json> ask(KeeperClient& from, const std::string& request, Json::Object fields = {}) {
        return io::run(*loop, from.ask(request, std::move(fields)));
    }
    io::Task<std::size_t> receive(const Fd& socket, std::span<std::byte> buffer) {
        co_return co_await loop->recv(socket.get(), buffer, 0);
    }
    // What a client that knows no better gets for what it sends.
    std::string answer_to(const std::string& sent) {
        pool::LineChannel channel{*loop, connect_to(path()).value(), 1 << 20};
        EXPECT_TRUE(io::run(*loop, channel.receive()).value());
        EXPECT_TRUE(io::run(*loop, channel.send(sent)));
        return io::run(*loop, channel.receive()).value().value_or("closed");
    }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    std::filesystem::path folder;
    FakeMachine machine;
    ConsoleHub console{*loop};
    std::optional<KeeperServer> server;
};

TEST_F(KeeperServerTest, ItSaysWhoItIsAndHowItsMachineIs) {
    auto asking = client();
    const auto hello = io::run(*loop, asking->greet());
    ASSERT_TRUE(hello) << hello.error().text();
    EXPECT_EQ(hello->machine, "uid");
    EXPECT_EQ(hello->cookie, "cookie");
    EXPECT_EQ(hello->version, keeper::version);
    EXPECT_EQ(hello->status, machine.now);
    const auto status = ask(*asking, "status");
    ASSERT_TRUE(status) << status.error().text();
    EXPECT_EQ(keeper::parse_status(*status).value(), machine.now);
}

TEST_F(KeeperServerTest, CommandsReachTheMachine) {
    auto asking = greeted();
    EXPECT_TRUE(ask(*asking, "power_button", {{"grace", 7}}));
    EXPECT_EQ(machine.graces, std::vector{std::chrono::seconds{7}});
    EXPECT_TRUE(ask(*asking, "refresh_disks"));
    EXPECT_EQ(machine.refreshed, 1);
    EXPECT_FALSE(machine.forced);
    EXPECT_TRUE(ask(*asking, "stop"));
    EXPECT_TRUE(machine.forced);
}

TEST_F(KeeperServerTest, WhatMakesNoSenseIsRefusedByName) {
    auto asking = greeted();
    for (const int grace : {-1, 100'000})
        EXPECT_EQ(ask(*asking, "power_button", {{"grace", grace}}).error().kind(), Kind::invalid);
    EXPECT_EQ(ask(*asking, "power_button").error().kind(), Kind::invalid);
    EXPECT_TRUE(machine.graces.empty());
    const auto unknown = ask(*asking, "levitate");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind(), Kind::unsupported);
    EXPECT_TRUE(unknown.error().text().contains("levitate")) << unknown.error().text();
    EXPECT_TRUE(ask(*asking, "status")) << "the connection goes on";
}

TEST_F(KeeperServerTest, AMemberThatIsNotKnownIsPassedOver) {
    const auto answer = answer_to(R"({"version":1,"request":"status","colour":"red"})");
    EXPECT_TRUE(answer.contains(R"("result":{)")) << answer;
}

TEST_F(KeeperServerTest, NonsenseIsAnsweredAndHarmsNobodyElse) {
    EXPECT_TRUE(answer_to("{").contains(R"("kind":"invalid")"));
    EXPECT_TRUE(answer_to("[]").contains(R"("kind":"invalid")"));
    EXPECT_TRUE(answer_to(R"({"version":2,"request":"status"})").contains(R"("unsupported")"));
    EXPECT_TRUE(answer_to(R"({"request":"status"})").contains(R"("unsupported")"));
    EXPECT_TRUE(answer_to(std::string(100'000, 'x')).contains(R"("kind":"invalid")"));
    EXPECT_TRUE(ask(*greeted(), "status"));
}

TEST_F(KeeperServerTest, APauseIsAnsweredWhenItIsSo) {
    auto asking = greeted();
    auto answer = std::optional<Json>{};
    io::TaskGroup waiting;
    waiting.start(io::keep_value(asking->ask("pause"), answer));
    ASSERT_TRUE(test::run_until(*loop, [&] { return machine.wanted; }));
    EXPECT_FALSE(answer);
    machine.enter(MachineState::paused);
    ASSERT_TRUE(test::run_until(*loop, [&] { return waiting.empty(); }));
    EXPECT_EQ(answer.value().text_at({"state"}), "paused");
}

TEST_F(KeeperServerTest, APauseThatAnotherUndoesFails) {
    auto asking = greeted();
    auto other = greeted();
    auto answer = std::optional<Json>{};
    io::TaskGroup waiting;
    waiting.start(io::keep_value(asking->ask("pause"), answer));
    ASSERT_TRUE(test::run_until(*loop, [&] { return machine.wanted; }));
    EXPECT_TRUE(ask(*other, "resume"));
    ASSERT_TRUE(test::run_until(*loop, [&] { return waiting.empty(); }));
    EXPECT_FALSE(answer);
    const auto outcome = io::run(*loop, other->ask("status"));
    EXPECT_TRUE(outcome);
}

TEST_F(KeeperServerTest, WhoWatchesHearsEachChangeAndTheEnd) {
    auto watching = greeted();
    ASSERT_TRUE(io::run(*loop, watching->begin_watch()));
    EXPECT_EQ(io::run(*loop, watching->next_status()).value()->state, MachineState::running);
    machine.enter(MachineState::paused);
    EXPECT_EQ(io::run(*loop, watching->next_status()).value()->state, MachineState::paused);
    machine.enter(MachineState::ended);
    EXPECT_EQ(io::run(*loop, watching->next_status()).value()->state, MachineState::ended);
    EXPECT_FALSE(io::run(*loop, watching->next_status()).value()) << "and then it closes";
}

// A daemon that was killed many times leaves as many watches.
TEST_F(KeeperServerTest, AWatchThatWentAwayTakesNoRoom) {
    for (int i = 0; i < 200; ++i) {
        auto watching = greeted();
        ASSERT_TRUE(io::run(*loop, watching->begin_watch()));
        ASSERT_TRUE(io::run(*loop, watching->next_status()));
    }
    EXPECT_TRUE(ask(*greeted(), "status"));
}

TEST_F(KeeperServerTest, TheConsoleShowsWhatWasAndWhatComes) {
    ASSERT_TRUE(io::run(*loop, console.show(as_bytes("one two "))));
    auto asking = greeted();
    EXPECT_EQ(ask(*asking, "console_tail", {{"bytes", 4}})->text_at({"text"}), "dHdvIA==");
    auto attached = io::run(*loop, asking->attach_console({4})).value();
    auto seen = std::string{};
    io::SocketStream stream{*loop, std::move(attached)};
    ASSERT_TRUE(io::run(*loop, stream.send(as_bytes("typed"))));
    std::array<std::byte, 64> buffer;
    EXPECT_EQ(io::run(*loop, console.type(buffer)).value(), 5u);
    EXPECT_EQ(as_text(std::span{buffer}.first(5)), "typed");
    ASSERT_TRUE(io::run(*loop, console.show(as_bytes("three"))));
    while (seen.size() < 9) {
        const auto count = io::run(*loop, stream.receive(buffer));
        ASSERT_TRUE(count && *count > 0);
        seen += as_text(std::span{buffer}.first(*count));
    }
    EXPECT_EQ(seen, "two three");
}

TEST_F(KeeperServerTest, TheConsoleBeginsWithSoManyLines) {
    ASSERT_TRUE(io::run(*loop, console.show(as_bytes("one\ntwo\nthree\n"))));
    auto asking = greeted();
    EXPECT_EQ(ask(*asking, "console_tail", {{"lines", 1}})->text_at({"text"}), "dGhyZWUK");
    auto attached = io::run(*loop, asking->attach_console({100, 2})).value();
    io::SocketStream stream{*loop, std::move(attached)};
    std::array<std::byte, 64> buffer;
    const auto count = io::run(*loop, stream.receive(buffer));
    ASSERT_TRUE(count);
    EXPECT_EQ(as_text(std::span{buffer}.first(*count)), "two\nthree\n");
}

// A guest does not wait for who looks at it.
TEST_F(KeeperServerTest, AReaderThatDoesNotReadIsLetGo) {
    auto asking = greeted();
    const auto attached = io::run(*loop, asking->attach_console({0})).value();
    const std::string much(ConsoleHub::kept / 2, 'x');
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(io::run(*loop, console.show(as_bytes(much))));
    // It gets what was under way, and the end.
    std::vector<std::byte> buffer(1 << 20);
    std::size_t seen = 0;
    while (true) {
        const auto count = io::run(*loop, receive(attached, buffer));
        if (!count || *count == 0) break;
        seen += *count;
    }
    EXPECT_LT(seen, 8 * much.size());
    EXPECT_EQ(console.tail({10}), "xxxxxxxxxx");
}

TEST_F(KeeperServerTest, ThereIsABoundOnClients) {
    std::vector<std::unique_ptr<KeeperClient>> clients;
    for (int i = 0; i < 64; ++i) clients.push_back(greeted());
    auto further = client();
    EXPECT_EQ(io::run(*loop, further->greet()).error().kind(), Kind::unavailable);
    clients.pop_back();
    EXPECT_TRUE(ask(*clients.front(), "status"));
}

}  // namespace
}  // namespace sheaf::node

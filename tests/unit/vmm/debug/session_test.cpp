#include "vmm/debug/session.h"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "unit/vmm/debug/client.h"
#include "unit/vmm/debug/fake_processors.h"

namespace sheaf::vmm::debug {
namespace {

class SessionTest : public testing::Test {
  protected:
    SessionTest() {
        auto ends = std::array<int, 2>{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
        log_read = Fd{ends[0]};
        log_write = Fd{ends[1]};
        log.emplace(log_write.get(), LogLevel::warning);
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        client.emplace(*loop, Fd{ends[0]});
        const auto around = Session::Surroundings{
            .loop = *loop, .processors = processors, .sink = sink, .log = *log};
        session.emplace(around, Fd{ends[1]});
        tasks.start(session->run());
    }
    ~SessionTest() override {
        tasks.cancel();
        EXPECT_TRUE(ended());
    }
    bool ended() {
        return test::run_until(*loop, [&] { return tasks.empty(); });
    }
    std::string logged() {
        auto text = std::string(4096, '\0');
        const auto length = ::read(log_read.get(), text.data(), text.size());
        text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
        return text;
    }
    std::uint8_t byte(std::uint64_t at) const {
        return *processors.memory.read<std::uint8_t>(Gpa{at});
    }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    Fd log_read;
    Fd log_write;
    std::optional<Logger> log;
    FakeProcessors processors;
    FakeSink sink;
    std::optional<Client> client;
    std::optional<Session> session;
    io::TaskGroup tasks;
};

TEST_F(SessionTest, TheFirstPacketStopsTheGuest) {
    EXPECT_EQ(processors.halts, 0);
    EXPECT_EQ(client->ask("?"), "T05thread:1;");
    EXPECT_FALSE(processors.in_guest);
    EXPECT_EQ(client->ask("qC"), "QC1");
    EXPECT_EQ(processors.halts, 1);
}

TEST_F(SessionTest, AStopIsToldWhenAllStand) {
    client->ask("qSupported:swbreak+");
    client->send(make_frame("vCont;c"));
    EXPECT_EQ(client->hear(1), "+");
    ASSERT_TRUE(test::run_until(*loop, [&] { return processors.in_guest; }));
    processors.stop({1, {Cause::Kind::software, 0}});
    EXPECT_EQ(client->packet_heard(), "T05thread:2;swbreak:;");
    EXPECT_FALSE(processors.in_guest);
    client->send(make_frame("vCont;s:2;c"));
    ASSERT_TRUE(test::run_until(*loop, [&] { return processors.resumes == 2; }));
    EXPECT_EQ(processors.last_go, (std::vector{Go::run, Go::step}));
}

TEST_F(SessionTest, ControlCInterrupts) {
    client->ask("?");
    client->send("\x03");  // nothing runs: nothing to interrupt
    client->send(make_frame("c"));
    EXPECT_EQ(client->hear(1), "+");
    client->send("\x03");
    EXPECT_EQ(client->packet_heard(), "T02thread:1;");
    EXPECT_FALSE(processors.in_guest);
}

TEST_F(SessionTest, QuestionsWhileItRunsAreRefused) {
    client->ask("?");
    client->send(make_frame("c"));
    EXPECT_EQ(client->hear(1), "+");
    EXPECT_EQ(client->ask("g"), "E10");
    EXPECT_TRUE(processors.in_guest);
    EXPECT_EQ(client->ask("D"), "OK");
    EXPECT_TRUE(ended());
    EXPECT_TRUE(processors.in_guest);
}

TEST_F(SessionTest, DetachTakesBreakpointsAway) {
    EXPECT_EQ(client->ask("Z0,1000,1"), "OK");
    EXPECT_EQ(byte(0x1000), 0xcc);
    EXPECT_EQ(client->ask("D;1"), "OK");
    EXPECT_TRUE(ended());
    EXPECT_EQ(byte(0x1000), 0);
    EXPECT_TRUE(processors.in_guest);
    EXPECT_EQ(processors.last_go, (std::vector{Go::run, Go::run}));
    EXPECT_EQ(logged(), "");
}

TEST_F(SessionTest, WhoVanishesLeavesNoBreakpointAndARunningGuest) {
    EXPECT_EQ(client->ask("Z0,1000,1"), "OK");
    EXPECT_EQ(client->ask("Z2,2000,4"), "OK");
    client->send(make_frame("c"));
    EXPECT_EQ(client->hear(1), "+");
    client->hang_up();
    EXPECT_TRUE(ended());
    EXPECT_EQ(byte(0x1000), 0);
    EXPECT_TRUE(processors.debuggee().breakpoints.empty());
    EXPECT_TRUE(processors.in_guest);
    EXPECT_TRUE(logged().contains("the debugger has gone"));
}

TEST_F(SessionTest, WhoVanishesInAPacketDoesAsWell) {
    client->ask("?");
    client->send("$m1000");
    client->hang_up();
    EXPECT_TRUE(ended());
    EXPECT_TRUE(processors.in_guest);
}

TEST_F(SessionTest, GarbageNeverStopsTheGuest) {
    client->send("GET / HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(ended());
    EXPECT_EQ(processors.halts, 0);
    const auto line = logged();
    EXPECT_TRUE(line.contains("hung up on") && line.contains("0x47")) << line;
    EXPECT_EQ(std::ranges::count(line, '\n'), 1);
}

TEST_F(SessionTest, GarbageOfOneThatIsAttachedLetsTheGuestGo) {
    EXPECT_EQ(client->ask("Z0,1000,1"), "OK");
    client->send("what?");
    EXPECT_TRUE(ended());
    EXPECT_EQ(byte(0x1000), 0);
    EXPECT_TRUE(processors.in_guest);
}

TEST_F(SessionTest, ADamagedPacketIsAskedForAgain) {
    client->send("$?#00");
    EXPECT_EQ(client->hear(1), "-");
    EXPECT_EQ(client->ask("?"), "T05thread:1;");
    client->send("-");
    EXPECT_EQ(client->packet_heard(), "T05thread:1;") << "what was said last";
}

TEST_F(SessionTest, WithoutAcknowledgements) {
    EXPECT_EQ(client->ask("QStartNoAckMode"), "OK");
    client->send(make_frame("?"));
    EXPECT_EQ(client->packet_heard(), "T05thread:1;") << "and no plus before it";
    client->send("$?#00");
    EXPECT_TRUE(ended()) << "nobody would repeat a damaged packet";
    EXPECT_TRUE(processors.in_guest);
}

TEST_F(SessionTest, KillEndsTheMachine) {
    client->ask("?");
    client->send(make_frame("k"));
    EXPECT_TRUE(ended());
    ASSERT_EQ(sink.endings.size(), 1u);
    EXPECT_EQ(sink.endings[0].how, Ending::How::forced_off);
}

TEST_F(SessionTest, TheMachinesEndIsToldToWhoIsAttached) {
    session->machine_ended();
    client->ask("?");
    session->machine_ended();
    EXPECT_EQ(client->packet_heard(), "W00") << "and nothing before somebody was attached";
}

TEST_F(SessionTest, ManyPacketsAtOnceAreAnsweredInOrder) {
    auto text = std::string{};
    auto expected = std::string{};
    for (int round = 0; round < 3000; ++round) {
        text += make_frame("qC") + "+";
        expected += "+" + make_frame("QC1");
    }
    client->send(text);
    EXPECT_EQ(client->hear(expected.size()), expected);
}

}  // namespace
}  // namespace sheaf::vmm::debug

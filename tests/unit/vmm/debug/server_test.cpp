#include "vmm/debug/server.h"

#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "unit/vmm/debug/client.h"
#include "unit/vmm/debug/fake_processors.h"

namespace sheaf::vmm::debug {
namespace {

class ServerTest : public testing::Test {
  protected:
    ServerTest() {
        auto listener = Fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        address_.sun_family = AF_UNIX;  // and no name: the system chooses one
        EXPECT_EQ(::bind(listener.get(), generic(), sizeof(sa_family_t)), 0);
        length_ = sizeof(address_);
        EXPECT_EQ(::getsockname(listener.get(), generic(), &length_), 0);
        EXPECT_EQ(::listen(listener.get(), 4), 0);
        const auto around = Session::Surroundings{
            .loop = *loop, .processors = processors, .sink = sink, .log = log};
        server.emplace(around, std::move(listener));
    }
    ~ServerTest() override {
        tasks.cancel();
        EXPECT_TRUE(test::run_until(*loop, [&] { return tasks.empty(); }));
    }
    sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address_); }
    Client connect() {
        auto socket = Fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        EXPECT_EQ(::connect(socket.get(), generic(), length_), 0);
        return Client{*loop, std::move(socket)};
    }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    Logger log{STDERR_FILENO, LogLevel::error};
    FakeProcessors processors;
    FakeSink sink;
    std::optional<Server> server;
    io::TaskGroup tasks;

  private:
    sockaddr_un address_{};
    socklen_t length_ = 0;
};

TEST_F(ServerTest, OneDebuggerAfterTheOther) {
    tasks.start(server->run(Beginning::run));
    for (int round = 0; round < 3; ++round) {
        auto client = connect();
        EXPECT_EQ(client.ask("qC"), "QC1");
        EXPECT_FALSE(processors.in_guest);
        EXPECT_EQ(client.ask("D"), "OK");
        EXPECT_TRUE(client.hung_up());
        EXPECT_TRUE(processors.in_guest);
    }
}

TEST_F(ServerTest, ASecondDebuggerIsTurnedAway) {
    tasks.start(server->run(Beginning::run));
    auto first = connect();
    EXPECT_EQ(first.ask("qC"), "QC1");
    auto second = connect();
    EXPECT_TRUE(second.hung_up());
    EXPECT_EQ(first.ask("qC"), "QC1");
}

TEST_F(ServerTest, AGuestThatWaitsBeginsWhenADebuggerLetsIt) {
    tasks.start(server->run(Beginning::wait));
    EXPECT_FALSE(processors.in_guest) << "at once, before a processor has started";
    {
        auto stranger = connect();
        stranger.send("hello?");
        EXPECT_TRUE(stranger.hung_up());
    }
    EXPECT_EQ(processors.resumes, 0) << "who is no debugger does not let it";
    auto client = connect();
    client.ask("?");
    client.send(make_frame("c"));
    ASSERT_TRUE(test::run_until(*loop, [&] { return processors.in_guest; }));
}

TEST_F(ServerTest, TheEndReachesTheDebugger) {
    tasks.start(server->run(Beginning::run));
    server->machine_ended();
    auto client = connect();
    client.ask("?");
    server->machine_ended();
    EXPECT_EQ(client.packet_heard(), "W00");
}

}  // namespace
}  // namespace sheaf::vmm::debug

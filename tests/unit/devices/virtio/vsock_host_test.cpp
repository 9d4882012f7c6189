#include "devices/virtio/vsock_host.h"

#include <sys/socket.h>

#include <array>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/make_loop.h"
#include "io/task_group.h"

namespace sheaf::virtio {
namespace {

TEST(VsockGreeting, NamesAPort) {
    EXPECT_EQ(parse_vsock_greeting("CONNECT 1234"), 1234u);
    EXPECT_EQ(parse_vsock_greeting("CONNECT 4294967295"), 4294967295u);
    for (const auto* line : {"", "CONNECT", "CONNECT ", "CONNECT 4294967296", "CONNECT -1",
                             "CONNECT 1 ", "CONNECT 0x10", "connect 1", "CONNECT  1", "1"})
        EXPECT_FALSE(parse_vsock_greeting(line)) << line;
}

class VsockGreetingRead : public testing::Test {
  protected:
    VsockGreetingRead() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        program = Fd{ends[0]};
        ours = Fd{ends[1]};
    }
    void say(std::string_view text) {
        ASSERT_EQ(::send(program.get(), text.data(), text.size(), 0),
                  static_cast<ssize_t>(text.size()));
    }
    Result<std::uint32_t> read(io::Duration patience = std::chrono::seconds{10}) {
        Result<std::uint32_t> port = fail(Kind::io, "never read");
        EXPECT_TRUE(io::run(*loop, keep(patience, port)));
        return port;
    }
    io::Task<void> keep(io::Duration patience, Result<std::uint32_t>& port) {
        port = co_await read_vsock_greeting(*loop, ours.get(), patience).result();
    }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    Fd program;
    Fd ours;
};

TEST_F(VsockGreetingRead, TakesTheLineAndNotAByteMore) {
    say("CONNECT 99\nfor the guest");
    EXPECT_EQ(read(), 99u);
    std::array<char, 64> rest{};
    EXPECT_EQ(::recv(ours.get(), rest.data(), rest.size(), MSG_DONTWAIT), 13);
    EXPECT_EQ(std::string_view{rest.data()}, "for the guest");
}

TEST_F(VsockGreetingRead, ALongLineIsNotReadToItsEnd) {
    say(std::string(1000, '1'));
    EXPECT_EQ(read().error().kind(), Kind::invalid);
    std::array<char, 1000> rest{};
    EXPECT_EQ(::recv(ours.get(), rest.data(), rest.size(), MSG_DONTWAIT), 1000 - 32);
}

TEST_F(VsockGreetingRead, OneThatDoesNotComeIsNotWaitedForLong) {
    say("CONNECT 9");
    EXPECT_EQ(read(std::chrono::milliseconds{10}).error().kind(), Kind::invalid);
}

TEST_F(VsockGreetingRead, AProgramThatLeavesIsRefused) {
    say("CONNECT 9");
    program.reset();
    EXPECT_EQ(read().error().kind(), Kind::invalid);
}

}  // namespace
}  // namespace sheaf::virtio

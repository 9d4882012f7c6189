#include "node/vsock_dial.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "io/task_group.h"
#include "node/control.h"
#include "support/turns.h"

namespace sheaf::node {
namespace {

class VsockDialTest : public testing::Test {
  protected:
    VsockDialTest() {
        auto name = std::string{"/tmp/vsock_dial_test.XXXXXX"};
        folder = ::mkdtemp(name.data());
        auto [keeper_end, vmm_end] = *make_control_channel();
        keeper = std::move(keeper_end);
        dial.emplace(*loop, std::move(vmm_end));
        answering.start(answer_dials(*loop, keeper.get(), folder / "v"));
    }
    ~VsockDialTest() override {
        answering.cancel();
        EXPECT_TRUE(test::run_until(*loop, [&] { return answering.empty(); }));
        std::filesystem::remove_all(folder);
    }
    io::Task<void> keep(std::uint32_t port, Result<Fd>& socket) {
        socket = co_await dial->dial(port).result();
    }
    Result<Fd> reach(std::uint32_t port) {
        Result<Fd> socket = fail(Kind::io, "no answer");
        EXPECT_TRUE(io::run(*loop, keep(port, socket)));
        return socket;
    }
    static std::size_t open_descriptors() {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& entry :
             std::filesystem::directory_iterator{"/proc/self/fd"})
            ++count;
        return count;
    }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    std::filesystem::path folder;
    Fd keeper;
    std::optional<VsockDial> dial;
    io::TaskGroup answering;
};

TEST_F(VsockDialTest, APortIsAPath) {
    const auto program = *listen_for_vsock(folder / "v_80");
    const auto socket = reach(80);
    ASSERT_TRUE(socket) << socket.error().text();
    const auto accepted = Fd{::accept4(program.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    ASSERT_TRUE(accepted);
    ASSERT_EQ(::send(socket->get(), "hi", 2, 0), 2);
    std::array<char, 8> heard{};
    EXPECT_EQ(::recv(accepted.get(), heard.data(), heard.size(), 0), 2);
}

TEST_F(VsockDialTest, WhereNobodyListensIsSaid) {
    const auto nobody = reach(81);
    ASSERT_FALSE(nobody);
    EXPECT_EQ(nobody.error().kind(), Kind::not_found) << nobody.error().text();
    {
        const auto gone = *listen_for_vsock(folder / "v_82");
    }
    EXPECT_EQ(reach(82).error().os_error(), ECONNREFUSED);
}

TEST_F(VsockDialTest, NothingStaysOpen) {
    const auto program = *listen_for_vsock(folder / "v_80");
    static_cast<void>(reach(80));
    const auto before = open_descriptors();
    for (unsigned i = 0; i < 20; ++i) {
        static_cast<void>(reach(80));
        static_cast<void>(reach(81));
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST_F(VsockDialTest, AKeeperThatIsGoneIsAnError) {
    answering.cancel();
    EXPECT_TRUE(test::run_until(*loop, [&] { return answering.empty(); }));
    keeper.reset();
    EXPECT_FALSE(reach(80));
}

TEST_F(VsockDialTest, TheVmmsEndEndsTheAnswers) {
    dial.reset();
    EXPECT_TRUE(test::run_until(*loop, [&] { return answering.empty(); }));
}

TEST_F(VsockDialTest, APathLeavesRoomForEveryPort) {
    const auto base = folder.string() + "/";
    const auto longest = base + std::string(107 - 11 - base.size(), 'x');
    EXPECT_TRUE(listen_for_vsock(longest));
    EXPECT_EQ(listen_for_vsock(longest + "x").error().kind(), Kind::invalid);
    EXPECT_FALSE(listen_for_vsock(longest)) << "somebody has it";
}

}  // namespace
}  // namespace sheaf::node

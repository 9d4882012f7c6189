#include "node/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include <gtest/gtest.h>

namespace sheaf::node {
namespace {

class UnixSocketTest : public testing::Test {
  protected:
    UnixSocketTest() {
        auto name = std::string{"/tmp/unix_socket_test.XXXXXX"};
        folder = ::mkdtemp(name.data());
    }
    ~UnixSocketTest() override { std::filesystem::remove_all(folder); }
    std::filesystem::path folder;
};

TEST_F(UnixSocketTest, WhoListensIsReached) {
    const auto listener = listen_at("test socket", folder / "s", 1);
    ASSERT_TRUE(listener) << listener.error().text();
    EXPECT_TRUE(connect_to(folder / "s"));
    EXPECT_EQ(connect_to(folder / "t").error().kind(), Kind::not_found);
}

TEST_F(UnixSocketTest, ASocketForItsOwnerHasThatModeFromTheStart) {
    const auto listener = listen_at("test socket", folder / "s", 1, SocketMode::owner);
    ASSERT_TRUE(listener);
    struct stat information{};
    ASSERT_EQ(::stat((folder / "s").c_str(), &information), 0);
    EXPECT_EQ(information.st_mode & 0777, 0600u);
}

TEST_F(UnixSocketTest, MistakesNameTheSocket) {
    ASSERT_TRUE(listen_at("test socket", folder / "s", 1));
    for (const auto& path : {folder / "s", folder, folder / "none" / "s",
                             folder / std::string(200, 's'), std::filesystem::path{}}) {
        const auto refused = listen_at("test socket", path, 1);
        ASSERT_FALSE(refused);
        EXPECT_TRUE(refused.error().text().contains("test socket")) << refused.error().text();
        EXPECT_TRUE(refused.error().text().contains(path.string())) << refused.error().text();
    }
    EXPECT_TRUE(std::filesystem::exists(folder / "s")) << "what was there stays";
}

TEST_F(UnixSocketTest, OnlyASocketThatNobodyHasGivesWay) {
    const auto path = (folder / "s").string();
    {
        const auto listener = listen_at("test socket", path, 1);
        ASSERT_TRUE(listener);
        EXPECT_EQ(listen_anew_at("test socket", path, 1).error().kind(), Kind::conflict);
    }
    EXPECT_TRUE(listen_anew_at("test socket", path, 1)) << "a killed process has left it";
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);
    EXPECT_EQ(listen_anew_at("test socket", path, 1).error().kind(), Kind::exists);
    EXPECT_TRUE(std::filesystem::is_directory(path));
}

// As of a process that was killed, whose ring has not been taken down yet.
TEST_F(UnixSocketTest, ASocketWhoseListenerHasEndedGivesWay) {
    const auto path = (folder / "s").string();
    const Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const void* bytes = &address;
    ASSERT_EQ(::bind(socket.get(), static_cast<const sockaddr*>(bytes), sizeof(address)), 0);
    const auto child = ::fork();
    if (child == 0) ::_exit(::listen(socket.get(), 1));
    auto status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    EXPECT_TRUE(connect_to(path)) << "it still takes connections";
    EXPECT_TRUE(listen_anew_at("test socket", path, 1));
}

}  // namespace
}  // namespace sheaf::node

// Where a server may listen, and what it leaves behind.

#include "storage/nbd/listener.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace sheaf::nbd {
namespace {

class NbdListener : public testing::Test {
  protected:
    NbdListener() {
        std::string pattern = testing::TempDir() + "nbd-listener-XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
    }
    ~NbdListener() override { std::filesystem::remove_all(folder_); }
    std::string path() const { return folder_ + "/nbd.sock"; }

    std::string folder_;
};

TEST_F(NbdListener, ASocketFileIsItsOwnersAndGoesWithTheListener) {
    {
        const auto listener = Listener::at_path(path());
        ASSERT_TRUE(listener) << listener.error().text();
        struct stat status{};
        ASSERT_EQ(::stat(path().c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 07777, 0600u);
        EXPECT_EQ(listener->uri(), "nbd+unix:///?socket=" + path());
        const auto second = Listener::at_path(path());
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().kind(), Kind::conflict);
        EXPECT_TRUE(std::filesystem::exists(path()));
    }
    EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(NbdListener, WhatAKilledServerLeftIsReplacedAndOtherFilesAreNot) {
    std::string moved = path() + ".moved";
    {
        const auto listener = Listener::at_path(path());
        ASSERT_TRUE(listener);
        // Out of reach of its destructor, as after a kill.
        std::filesystem::rename(path(), moved);
    }
    std::filesystem::rename(moved, path());
    EXPECT_TRUE(Listener::at_path(path()));
    std::ofstream{path()} << "precious";
    const auto refused = Listener::at_path(path());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), Kind::exists);
    EXPECT_EQ(std::filesystem::file_size(path()), 8u);
}

TEST_F(NbdListener, PathsThatAreNone) {
    for (const auto& wrong : {std::string{}, std::string(200, 'x'), folder_ + "/no/such/folder"}) {
        const auto refused = Listener::at_path(wrong);
        ASSERT_FALSE(refused);
        EXPECT_TRUE(refused.error().text().contains(wrong));
    }
}

TEST_F(NbdListener, LoopbackOnly) {
    const auto listener = Listener::at_address("127.0.0.1:0");
    ASSERT_TRUE(listener) << listener.error().text();
    EXPECT_TRUE(listener->uri().starts_with("nbd://127.0.0.1:"));
    EXPECT_FALSE(listener->uri().ends_with(":0"));
    for (const auto* wrong :
         {"0.0.0.0:10809", "192.168.1.1:10809", "[::]:10809", "127.0.0.1", "127.0.0.1:", ":10809",
          "127.0.0.1:99999", "127.0.0.1:1x", "localhost:10809", "[::1]", "[::1:1", ""}) {
        const auto refused = Listener::at_address(wrong);
        ASSERT_FALSE(refused) << wrong;
        EXPECT_EQ(refused.error().kind(), Kind::invalid);
    }
}

TEST_F(NbdListener, APortInUseIsAConflict) {
    const auto listener = Listener::at_address("127.0.0.1:0").value();
    const auto refused = Listener::at_address(listener.uri().substr(6));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), Kind::conflict);
}

}  // namespace
}  // namespace sheaf::nbd

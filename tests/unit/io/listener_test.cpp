// A socket file whose server was killed.

#include "io/listener.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

namespace sheaf::io {
namespace {

// A byte, and room for one descriptor beside it.
struct Parcel {
    Parcel() {
        message.msg_iov = &data;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
    }
    Parcel(const Parcel&) = delete;
    Parcel& operator=(const Parcel&) = delete;

    char byte = 0;
    iovec data{.iov_base = &byte, .iov_len = 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
};

// Hands `descriptor` to the process at the other end of `channel`, and ends this one.
void hand_over(int channel, int descriptor) {
    Parcel parcel;
    auto* header = CMSG_FIRSTHDR(&parcel.message);
    *header = {
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(descriptor));
    ::_exit(::sendmsg(channel, &parcel.message, 0) == 1 ? 0 : 1);
}

Fd take_over(int channel) {
    Parcel parcel;
    if (::recvmsg(channel, &parcel.message, MSG_CMSG_CLOEXEC) != 1) return {};
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&parcel.message)), sizeof(descriptor));
    return Fd{descriptor};
}

// What still holds the listening socket of a process that has ended, as io_uring does for a while.
class EndedServer {
  public:
    explicit EndedServer(const std::string& path) {
        std::array<int, 2> channel{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, channel.data()), 0);
        const Fd ours{channel[0]};
        const Fd theirs{channel[1]};
        const auto child = ::fork();
        if (child == 0) {
            const auto listener = Listener::at_path(path);
            if (!listener) ::_exit(2);
            hand_over(theirs.get(), listener->descriptor());
        }
        held_ = take_over(ours.get());
        int status = -1;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
    }
    // Once somebody has connected.
    void let_go() {
        pollfd connected{.fd = held_.get(), .events = POLLIN, .revents = 0};
        EXPECT_EQ(::poll(&connected, 1, 10'000), 1);
        held_ = {};
    }

  private:
    Fd held_;
};

class KilledServer : public testing::Test {
  protected:
    KilledServer() {
        std::string pattern = testing::TempDir() + "io-listener-XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
    }
    ~KilledServer() override { std::filesystem::remove_all(folder_); }
    std::string path() const { return folder_ + "/server.sock"; }

    std::string folder_;
};

TEST_F(KilledServer, ItsSocketIsReplacedOnceTheKernelHasLetGoOfIt) {
    EndedServer ended{path()};
    std::jthread kernel{[&] { ended.let_go(); }};
    const auto next = Listener::at_path(path());
    kernel.join();
    EXPECT_TRUE(next) << next.error().text();
}

TEST_F(KilledServer, ItsSocketStaysWhereAnotherProcessGoesOnListening) {
    const EndedServer ended{path()};
    const auto next = Listener::at_path(path());
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().kind(), Kind::conflict);
    EXPECT_TRUE(std::filesystem::exists(path()));
}

}  // namespace
}  // namespace sheaf::io

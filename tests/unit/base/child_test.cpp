#include "base/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>

#include <gtest/gtest.h>

namespace sheaf {
namespace {

constexpr std::span<const Child::Handed> nothing;

std::string how_ended(const std::string& script) {
    auto child = Child::start("sh", {"sh", "-c", script}, nothing);
    return child ? child->reap() : child.error().text();
}

TEST(Children, AreReapedAndSayHowTheyEnded) {
    EXPECT_EQ(how_ended("exit 0"), "");
    EXPECT_EQ(how_ended("exit 3"), "exit status 3");
    EXPECT_EQ(how_ended("kill -KILL $$"), "killed by signal 9 (Killed)");
}

TEST(Children, OfNoProgramAreNotFound) {
    const auto child = Child::start("there-is-no-such-program", {"x"}, nothing);
    ASSERT_FALSE(child);
    EXPECT_EQ(child.error().kind(), Kind::not_found);
}

TEST(Children, GetWhatTheyAreHandedAndNothingElse) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const Fd output{ends[0]};
    Fd made{ends[1]};
    // A number that nobody else may have: not 7, nor what the test itself was started with.
    Fd input{::fcntl(made.get(), F_DUPFD_CLOEXEC, 100)};
    const auto handed = std::to_array<Child::Handed>({{input.get(), 7}});
    auto child =
        Child::start("sh",
                     {"sh", "-c",
                      "echo $(ls /proc/$$/fd | grep -cx " + std::to_string(input.get()) +
                          ") >&7; test \"$(cut -d' ' -f5 /proc/$$/stat)\" = $$ && echo own >&7"},
                     handed);
    ASSERT_TRUE(child) << child.error().text();
    input.reset();
    made.reset();
    std::string said;
    std::array<char, 64> part{};
    for (ssize_t count = 0; (count = ::read(output.get(), part.data(), part.size())) > 0;)
        said.append(part.data(), static_cast<std::size_t>(count));
    EXPECT_EQ(said, "0\nown\n");
    EXPECT_EQ(child->reap(), "");
}

TEST(Children, TellWhenTheyEndAndDoNotOutliveTheirOwner) {
    pid_t group = 0;
    {
        auto child = Child::start("sh", {"sh", "-c", "kill -STOP $$"}, nothing);
        ASSERT_TRUE(child) << child.error().text();
        pollfd ended{child->ended().get(), POLLIN, 0};
        EXPECT_EQ(::poll(&ended, 1, 0), 0);
        child->kill();
        EXPECT_EQ(::poll(&ended, 1, 60'000), 1);
    }
    {
        auto child = Child::start("sleep", {"sleep", "1000"}, nothing);
        ASSERT_TRUE(child) << child.error().text();
        group = child->pid();
        EXPECT_EQ(::kill(group, 0), 0);
    }
    EXPECT_EQ(::kill(group, 0), -1);
    EXPECT_EQ(errno, ESRCH);
}

}  // namespace
}  // namespace sheaf

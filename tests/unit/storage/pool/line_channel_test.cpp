#include "storage/pool/line_channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "io/task_group.h"

namespace sheaf::pool {
namespace {

class LineChannels : public testing::Test {
  protected:
    LineChannels() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        other = Fd{ends[0]};
        channel.emplace(*loop, Fd{ends[1]}, longest);
    }
    void say(std::string_view text) const {
        EXPECT_EQ(::send(other.get(), text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
    }
    io::Task<void> take(std::optional<std::string>& into) { into = co_await channel->receive(); }
    Result<std::optional<std::string>> receive() {
        std::optional<std::string> line;
        const auto outcome = io::run(*loop, take(line));
        if (!outcome) return Failure{outcome.error()};
        return line;
    }
    io::Task<void> send_and_take(std::string line, std::optional<std::string>& into) {
        auto end = co_await other.duplicate();
        LineChannel back{*loop, std::move(end), longest};
        io::TaskGroup sending;
        sending.start(channel->send(std::move(line)));
        into = co_await back.receive();
        co_await sending.join();
    }

    // The first line is cancelled when some of it has been sent.
    io::Task<void> send_two(std::string first, std::vector<std::string>& into) {
        io::TaskGroup cut_short;
        cut_short.start(channel->send(std::move(first)));
        co_await loop->poll(other.get(), POLLIN);
        cut_short.cancel();
        static_cast<void>(co_await cut_short.join().result());
        auto end = co_await other.duplicate();
        LineChannel back{*loop, std::move(end), 16 << 20};
        io::TaskGroup sending;
        sending.start(channel->send("second"));
        auto line = co_await back.receive();
        co_await sending.join();
        channel.reset();
        while (line) {
            into.push_back(*std::move(line));
            line = co_await back.receive();
        }
    }

    static constexpr std::size_t longest = 64 << 10;

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    Fd other;
    std::optional<LineChannel> channel;
};

TEST_F(LineChannels, LinesEndWhereTheyEnd) {
    say("one\ntw");
    EXPECT_EQ(receive().value(), "one");
    say("o\n\nrest");
    EXPECT_EQ(receive().value(), "two");
    EXPECT_EQ(receive().value(), "");
    other.reset();
    EXPECT_EQ(receive().value(), std::nullopt);
}

TEST_F(LineChannels, ALongLineIsRefusedBeforeItEnds) {
    say(std::string(longest + 1, 'x'));
    EXPECT_EQ(receive().error().kind(), Kind::invalid);
}

TEST_F(LineChannels, TheLongestLineIsTaken) {
    say(std::string(longest, 'x') + "\n");
    EXPECT_EQ(receive().value()->size(), longest);
}

TEST_F(LineChannels, WhatIsSentIsALine) {
    std::optional<std::string> line;
    ASSERT_TRUE(io::run(*loop, send_and_take("word", line)));
    EXPECT_EQ(line, "word");
}

TEST_F(LineChannels, ALineThatWasCutShortIsEndedBeforeTheNext) {
    const std::string first(8 << 20, 'x');
    std::vector<std::string> lines;
    ASSERT_TRUE(io::run(*loop, send_two(first, lines)));
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_TRUE(lines[0] == first);
    EXPECT_EQ(lines[1], "second");
}

}  // namespace
}  // namespace sheaf::pool

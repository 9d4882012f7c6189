#include "devices/console/channel.h"

#include <sys/socket.h>

#include <thread>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/make_loop.h"

namespace sheaf::console {
namespace {

class Told final : public Listener {
  public:
    void input_available() override { event.set(); }
    io::Event event;
};

// A channel with the keeper's end of its socket in the hands of the test.
class ChannelTest : public testing::Test {
  protected:
    ChannelTest() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        keeper.reset(ends[0]);
        channel.emplace(*loop, Fd{ends[1]});
        channel->listen(&told);
    }
    ~ChannelTest() override { channel->listen(nullptr); }

    // Runs `task` beside the channel, then ends the channel.
    Result<void> run(io::Task<void> task) { return io::run(*loop, beside(std::move(task))); }
    io::Task<void> beside(io::Task<void> task) {
        io::TaskGroup carrying;
        carrying.start(channel->run());
        auto outcome = co_await std::move(task).result();
        carrying.cancel();
        co_await carrying.join();
        co_await std::move(outcome);
    }
    io::Task<void> receive(std::string& text, std::size_t length) {
        std::array<std::byte, 4096> bytes;
        while (text.size() < length) {
            const auto count = co_await loop->recv(keeper.get(), bytes, 0);
            text += as_text(std::span{bytes}.first(count));
        }
    }

    io::Task<void> turn_for_a_while() { co_await loop->sleep(std::chrono::milliseconds{10}); }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    Fd keeper;
    Told told;
    std::optional<Channel> channel;
};

TEST_F(ChannelTest, CarriesWhatThreadsPrint) {
    std::string seen;
    {
        const std::jthread vcpu{[this] {
            for (int line = 0; line < 500; ++line) channel->write(as_bytes("0123456789"));
        }};
        ASSERT_TRUE(run(receive(seen, 5000)));
    }
    EXPECT_EQ(seen.size(), 5000u);
    EXPECT_TRUE(seen.starts_with("01234567890123"));
    EXPECT_EQ(channel->lost(), 0u);
}

io::Task<void> read_all(Channel& channel, Told& told, std::string& text, std::size_t length) {
    std::array<std::byte, 100> bytes;
    while (text.size() < length) {
        told.event.clear();
        const auto count = channel.read(bytes);
        text += as_text(std::span{bytes}.first(count));
        if (count < bytes.size() && text.size() < length) co_await told.event.wait();
    }
}

TEST_F(ChannelTest, HoldsBackWhoTypesTooFastAndLosesNothing) {
    // More than the channel's room, less than the socket's.
    std::string typed;
    while (typed.size() < 5 * Channel::input_room) typed += std::to_string(typed.size());
    ASSERT_EQ(::send(keeper.get(), typed.data(), typed.size(), 0),
              static_cast<ssize_t>(typed.size()));
    std::string seen;
    ASSERT_TRUE(run(read_all(*channel, told, seen, typed.size())));
    EXPECT_EQ(seen, typed);
}

TEST_F(ChannelTest, WhatCameBeforeTheListenerIsTold) {
    channel->listen(nullptr);
    told.event.clear();
    ASSERT_EQ(::send(keeper.get(), "early", 5, 0), 5);
    std::string echo;
    channel->write(as_bytes("."));
    ASSERT_TRUE(run(receive(echo, 1)));  // the loop has turned, with the input in it
    std::string seen;
    channel->listen(&told);
    ASSERT_TRUE(run(read_all(*channel, told, seen, 5)));
    EXPECT_EQ(seen, "early");
}

TEST_F(ChannelTest, NobodyReadingNeverBlocksThePrinter) {
    const std::string line(1000, 'x');
    for (int count = 0; count < 1000; ++count) channel->write(as_bytes(line));
    EXPECT_EQ(channel->lost(), 1'000'000 - Channel::output_room);
}

TEST_F(ChannelTest, AReaderThatIsGoneEndsNothing) {
    keeper.reset();
    channel->write(as_bytes("into the void"));
    EXPECT_TRUE(run(turn_for_a_while()));
    channel->write(as_bytes("again"));
    EXPECT_TRUE(io::run(*loop, channel->drain(std::chrono::seconds{5})));
}

TEST_F(ChannelTest, TheLastWordsAreSentAfterTheGuestHasEnded) {
    const std::string words(20000, 'w');
    channel->write(as_bytes(words));
    ASSERT_TRUE(io::run(*loop, channel->drain(std::chrono::seconds{5})));
    std::string seen(30000, '?');
    EXPECT_EQ(::recv(keeper.get(), seen.data(), seen.size(), MSG_DONTWAIT), 20000);
}

TEST_F(ChannelTest, AStuckReaderIsNotWaitedForLongerThanAllowed) {
    // What the socket holds, and more in the channel.
    const std::string room(Channel::output_room, 'y');
    for (int count = 0; count < 64; ++count) {
        channel->write(as_bytes(room));
        EXPECT_TRUE(io::run(*loop, channel->drain(std::chrono::milliseconds{5})));
    }
    std::string seen(64 * room.size(), '?');
    EXPECT_LT(::recv(keeper.get(), seen.data(), seen.size(), MSG_DONTWAIT),
              static_cast<ssize_t>(seen.size()));
}

}  // namespace
}  // namespace sheaf::console

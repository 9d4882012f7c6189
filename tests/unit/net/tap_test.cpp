#include "net/tap.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "io/task_group.h"
#include "net/vnet_header.h"
#include "scratch_tap.h"

namespace sheaf::net {
namespace {

class Tap : public testing::Test {
  protected:
    void SetUp() override {
        static const bool own = enter_own_network();
        if (!own) GTEST_SKIP() << "no permission to make a network namespace";
        // Without IPv6 nothing but the test sends on these interfaces.
        std::ofstream{"/proc/sys/net/ipv6/conf/default/disable_ipv6"} << 1;
    }
    static std::string refusal(const std::string& name, std::size_t queues = 1) {
        const auto tap = open_tap(name, queues);
        return tap ? "opened"
                   : std::string{to_string(tap.error().kind())} + ": " + tap.error().text();
    }
    std::unique_ptr<TapPort> port(const std::string& name, std::size_t queues = 1) {
        return TapPort::create(*loop, open_tap(name, queues).value()).value();
    }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
};

// A frame of a protocol that nobody speaks, marked with `mark`.
std::vector<std::byte> frame(char mark, std::size_t length = 100) {
    std::vector<std::byte> bytes(length, static_cast<std::byte>(mark));
    constexpr std::array<unsigned char, 14> header{0x52, 0x54, 0, 0, 0, 1,    0x52,
                                                   0x54, 0,    0, 0, 2, 0x88, 0xb5};
    std::ranges::copy(std::as_bytes(std::span{header}), bytes.begin());
    return bytes;
}

io::Task<void> receive_one(PortQueue& queue, std::span<std::byte> to, std::size_t& length) {
    const iovec piece{to.data(), to.size()};
    const std::span pieces{&piece, 1};
    length = co_await queue.receive(pieces);
}

io::Task<void> send_one(PortQueue& queue, std::span<std::byte> bytes) {
    VnetHeader header;
    const std::array pieces{iovec{&header, sizeof(header)}, iovec{bytes.data(), bytes.size()}};
    co_await queue.send(pieces);
}

TEST_F(Tap, SaysWhatIsWrongWithAName) {
    EXPECT_TRUE(refusal("nosuchtap").starts_with("not_found: tap nosuchtap does not exist"));
    EXPECT_TRUE(refusal("").starts_with("invalid: "));
    EXPECT_TRUE(refusal("sixteen-letters-").starts_with("invalid: "));
    EXPECT_EQ(refusal("lo"), "invalid: lo is not a tap");
    const ScratchTap tun{"tun0", IFF_TUN};
    ASSERT_TRUE(tun.valid());
    EXPECT_EQ(refusal("tun0"), "invalid: tun0 is not a tap");
}

TEST_F(Tap, AMissingOneIsNotMadeByAccident) {
    EXPECT_NE(refusal("nosuchtap"), "opened");
    EXPECT_TRUE(refusal("nosuchtap").starts_with("not_found: "));
}

TEST_F(Tap, HasOneUser) {
    const ScratchTap tap{"tap0"};
    ASSERT_TRUE(tap.valid());
    const auto queues = open_tap("tap0", 1);
    ASSERT_TRUE(queues) << queues.error().text();
    EXPECT_EQ(refusal("tap0"), "conflict: tap tap0 is in use by another process");
}

TEST_F(Tap, GivesAsManyQueuesAsItHas) {
    const ScratchTap one{"tap1"};
    const ScratchTap many{"tap2", IFF_TAP | IFF_MULTI_QUEUE};
    ASSERT_TRUE(one.valid() && many.valid());
    EXPECT_EQ(open_tap("tap1", 4).value().size(), 1u);
    EXPECT_EQ(open_tap("tap2", 4).value().size(), 4u);
}

TEST_F(Tap, MovesFramesBothWays) {
    const ScratchTap tap{"tap3"};
    const auto card = port("tap3");
    const auto host = tap.host_side();
    auto out = frame('o');
    ASSERT_TRUE(io::run(*loop, send_one(card->queue(0), out)));
    std::array<std::byte, 2048> seen{};
    ASSERT_EQ(::recv(host.get(), seen.data(), seen.size(), 0), 100);
    EXPECT_TRUE(std::ranges::equal(out, std::span{seen}.first(100)));

    const auto in = frame('i', 300);
    ASSERT_EQ(::send(host.get(), in.data(), in.size(), 0), 300);
    std::size_t length = 0;
    ASSERT_TRUE(io::run(*loop, receive_one(card->queue(0), seen, length)));
    EXPECT_EQ(length, 300 + sizeof(VnetHeader));
    EXPECT_TRUE(std::ranges::equal(in, std::span{seen}.subspan(sizeof(VnetHeader), 300)));
}

io::Task<void> cancel_in_a_while(io::Loop& loop, io::TaskGroup& group) {
    co_await loop.sleep(std::chrono::milliseconds{20});
    group.cancel();
}

io::Task<void> receive_until_cancelled(io::Loop& loop, PortQueue& queue, std::size_t& length) {
    std::array<std::byte, 2048> room;
    io::TaskGroup receiver;
    io::TaskGroup timer;
    receiver.start(receive_one(queue, room, length));
    timer.start(cancel_in_a_while(loop, receiver));
    co_await receiver.join();
    co_await timer.join();
}

TEST_F(Tap, WaitsForFramesUntilItIsCancelled) {
    const ScratchTap tap{"tap4"};
    const auto card = port("tap4");
    const auto host = tap.host_side();
    std::size_t length = 0;
    EXPECT_TRUE(io::run(*loop, receive_until_cancelled(*loop, card->queue(0), length)));
    EXPECT_EQ(length, 0u);
}

TEST_F(Tap, AFrameThatMakesNoSenseIsRefusedAndTheNextOneIsSent) {
    const ScratchTap tap{"tap5"};
    const auto card = port("tap5");
    const auto host = tap.host_side();
    std::array<std::byte, 4> runt{};
    EXPECT_FALSE(io::run(*loop, send_one(card->queue(0), runt)));
    auto good = frame('g');
    EXPECT_TRUE(io::run(*loop, send_one(card->queue(0), good)));
}

TEST_F(Tap, ADeletedOneSaysSoInsteadOfSpinning) {
    ScratchTap tap{"tap6"};
    const auto card = port("tap6");
    ASSERT_EQ(::system("ip link delete tap6 2>/dev/null"), 0);
    std::array<std::byte, 2048> room;
    std::size_t length = 0;
    const auto outcome = io::run(*loop, receive_one(card->queue(0), room, length));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::unavailable);
}

TEST_F(Tap, OffersWhatTheKernelKnows) {
    const ScratchTap tap{"tap7"};
    const auto card = port("tap7");
    const auto offered = card->offered();
    EXPECT_TRUE(offered.checksum && offered.tso4 && offered.tso6);
    EXPECT_TRUE(card->accept(offered));
    EXPECT_TRUE(card->accept({}));
}

TEST_F(Tap, QueuesAreSwitchedAndStaySoForTheNextOwner) {
    const ScratchTap tap{"tap8", IFF_TAP | IFF_MULTI_QUEUE};
    auto queues = open_tap("tap8", 3).value();
    std::vector<Fd> copies;
    for (const auto& queue : queues) copies.push_back(queue.duplicate().value());
    {
        const auto card = TapPort::create(*loop, std::move(queues)).value();
        EXPECT_EQ(card->queue_count(), 3u);
        // Flows are spread over the queues in use, so with one in use all come through it.
        const auto host = tap.host_side();
        std::array<std::byte, 2048> room;
        for (char mark = 'a'; mark < 'i'; ++mark) {
            const auto in = frame(mark);
            ASSERT_EQ(::send(host.get(), in.data(), in.size(), 0), 100);
            std::size_t length = 0;
            ASSERT_TRUE(io::run(*loop, receive_one(card->queue(0), room, length)));
            EXPECT_EQ(room[50], static_cast<std::byte>(mark));
        }
        EXPECT_TRUE(card->use_queues(2));
        EXPECT_FALSE(card->use_queues(4));
        EXPECT_FALSE(card->use_queues(0));
    }
    const auto next = TapPort::create(*loop, std::move(copies));
    ASSERT_TRUE(next) << next.error().text();
    EXPECT_TRUE((*next)->use_queues(3));
}

}  // namespace
}  // namespace sheaf::net

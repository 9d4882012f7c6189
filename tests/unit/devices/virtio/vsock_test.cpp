#include "devices/virtio/vsock.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <map>

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "support/vsock_guest.h"

namespace sheaf::virtio {
namespace {

using enum VsockOperation;

std::pair<Fd, Fd> make_pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    return {Fd{ends[0]}, Fd{ends[1]}};
}

// Ports of the host that somebody listens on, and who was reached.
class FakeDialer final : public VsockDialer {
  public:
    io::Task<Fd> dial(std::uint32_t port) override {
        ++dials;
        if (hangs) {
            events.push_back(std::make_unique<io::Event>());
            co_await events.back()->wait();
        }
        if (port != open_port) co_await fail(Kind::not_found, "nobody listens on {}", port);
        auto [program, ours] = make_pair();
        programs.push_back(std::move(program));
        co_return std::move(ours);
    }
    static constexpr std::uint32_t open_port = 80;
    std::vector<Fd> programs;
    std::vector<std::unique_ptr<io::Event>> events;
    bool hangs = false;
    unsigned dials = 0;
};

class VsockTest : public testing::Test {
  protected:
    static constexpr VsockKey key{.guest_port = 1000, .host_port = FakeDialer::open_port};

    VsockTest() {
        // An address of the kernel's choice, which no file stands for.
        listener = Fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        sockaddr_un any{};
        any.sun_family = AF_UNIX;
        EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&any), sizeof(sa_family_t)),
                  0);
        EXPECT_EQ(::listen(listener.get(), 100), 0);
        address_length = sizeof(address);
        ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &address_length);
        device = std::make_unique<Vsock>(*loop, std::move(listener), dialer,
                                         Vsock::Options{.cid = test::VsockGuest::cid});
        served = std::make_unique<test::ServedDevice>(*loop, memory, *device, 0, 256);
        guest = std::make_unique<test::VsockGuest>(*loop, *served);
    }

    // A program that asks for a port of the guest.
    Fd call(std::string_view greeting) {
        auto program = Fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        EXPECT_EQ(::connect(program.get(), reinterpret_cast<sockaddr*>(&address), address_length),
                  0);
        say(program, greeting);
        return program;
    }
    static void say(const Fd& program, std::string_view text) {
        ASSERT_EQ(::send(program.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
    }
    // What the program has been told by now; "<end>" at the end.
    std::string hear(const Fd& program) {
        std::string text(64_KiB, '\0');
        const auto there = [&] {
            pollfd ready{.fd = program.get(), .events = POLLIN, .revents = 0};
            return ::poll(&ready, 1, 0) > 0;
        };
        if (!test::run_until(*loop, there)) return "<nothing>";
        const auto count = ::recv(program.get(), text.data(), text.size(), MSG_DONTWAIT);
        if (count == 0) return "<end>";
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        return text;
    }
    // A connection that the guest made; gives the program's end.
    Fd& open_from_guest() {
        guest->send(key, request);
        EXPECT_EQ(guest->receive().operation(), response);
        return dialer.programs.back();
    }
    bool settles_at(std::size_t connections) {
        return test::run_until(*loop, [&] { return device->connection_count() == connections; });
    }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    test::FakeGuest memory;
    Fd listener;
    sockaddr_un address{};
    socklen_t address_length = 0;
    FakeDialer dialer;
    std::unique_ptr<Vsock> device;
    std::unique_ptr<test::ServedDevice> served;
    std::unique_ptr<test::VsockGuest> guest;
};

TEST_F(VsockTest, TheGuestReachesAProgram) {
    guest->offer_buffers(16);
    auto& program = open_from_guest();
    guest->send_data(key, "hello");
    EXPECT_EQ(hear(program), "hello");
    say(program, "world");
    const auto packet = guest->receive();
    EXPECT_EQ(packet.operation(), data);
    EXPECT_EQ(as_text(packet.payload), "world");
    EXPECT_EQ(+packet.header.source_cid, 2u);
    EXPECT_EQ(+packet.header.destination_cid, test::VsockGuest::cid);
    EXPECT_EQ(+packet.header.source_port, key.host_port);
    EXPECT_EQ(+packet.header.destination_port, key.guest_port);
    EXPECT_EQ(+packet.header.length, 5u);
    EXPECT_EQ(+packet.header.forwarded_count, 5u) << "what the program took";
    EXPECT_EQ(device->connection_count(), 1u);
}

TEST_F(VsockTest, AProgramReachesTheGuest) {
    guest->offer_buffers(16);
    const auto program = call("CONNECT 555\nfirst");
    const auto asked = guest->receive();
    EXPECT_EQ(asked.operation(), request);
    EXPECT_EQ(+asked.header.destination_port, 555u);
    EXPECT_EQ(+asked.header.buffer_size, VsockCredit::buffer_size);
    const auto made = VsockKey{.guest_port = 555, .host_port = asked.header.source_port};
    EXPECT_FALSE(guest->poll()) << "nothing is sent before the guest agrees";
    guest->send(made, response);
    EXPECT_EQ(hear(program), fmt::format("OK {}\n", made.host_port));
    EXPECT_EQ(as_text(guest->receive().payload), "first");
    guest->send_data(made, "answer");
    EXPECT_EQ(hear(program), "answer");
}

TEST_F(VsockTest, AProgramThatNobodyWantsIsHungUpOn) {
    guest->offer_buffers(16);
    const auto program = call("CONNECT 555\n");
    const auto asked = guest->receive();
    guest->send({.guest_port = 555, .host_port = asked.header.source_port}, reset);
    EXPECT_EQ(hear(program), "<end>");
    EXPECT_TRUE(settles_at(0));
    EXPECT_EQ(hear(call("HELLO\n")), "<end>");
}

TEST_F(VsockTest, APortWithoutAProgramIsRefused) {
    guest->offer_buffers(16);
    const auto closed = VsockKey{.guest_port = 1, .host_port = 81};
    guest->send(closed, request);
    const auto answer = guest->receive();
    EXPECT_EQ(answer.operation(), reset);
    EXPECT_EQ(+answer.header.source_port, 81u);
    EXPECT_EQ(+answer.header.destination_port, 1u);
    EXPECT_TRUE(settles_at(0));
}

TEST_F(VsockTest, WhatNoConnectionKnowsIsAnsweredByAReset) {
    guest->offer_buffers(16);
    for (const auto operation : {response, shutdown, data, credit_update, credit_request}) {
        guest->send(key, operation);
        EXPECT_EQ(guest->receive().operation(), reset) << std::to_underlying(operation);
    }
    guest->send(key, static_cast<VsockOperation>(99));
    EXPECT_EQ(guest->receive().operation(), reset);
    auto datagram = test::VsockGuest::header(key, request);
    datagram.type = 3;
    guest->send(datagram);
    const auto answer = guest->receive();
    EXPECT_EQ(answer.operation(), reset);
    EXPECT_EQ(+answer.header.type, 3u);
    guest->send(key, reset);
    EXPECT_FALSE(guest->poll()) << "a reset is not answered";
    EXPECT_EQ(device->dropped(), 0u);
}

TEST_F(VsockTest, PacketsOfSomebodyElseAreDropped) {
    guest->offer_buffers(16);
    auto other = test::VsockGuest::header(key, request);
    other.source_cid = 8;
    guest->send(other);
    other = test::VsockGuest::header(key, request);
    other.destination_cid = 9;
    guest->send(other);
    EXPECT_FALSE(guest->poll());
    EXPECT_EQ(device->dropped(), 2u);
    EXPECT_EQ(dialer.dials, 0u);
}

TEST_F(VsockTest, ARequestForWhatThereIsEndsIt) {
    guest->offer_buffers(16);
    auto& program = open_from_guest();
    guest->send(key, request);
    EXPECT_EQ(guest->receive().operation(), reset);
    EXPECT_EQ(hear(program), "<end>");
    EXPECT_TRUE(settles_at(0));
    EXPECT_EQ(dialer.dials, 1u);
}

TEST_F(VsockTest, TheGuestsCreditIsKept) {
    guest->offer_buffers(40);
    auto& program = open_from_guest();
    say(program, std::string(100'000, 'x'));
    std::size_t received = 0;
    while (received < test::VsockGuest::room) {
        const auto packet = guest->receive();
        ASSERT_EQ(packet.operation(), data);
        received += packet.payload.size();
    }
    EXPECT_EQ(received, test::VsockGuest::room) << "all the room, and not a byte more";
    EXPECT_EQ(guest->receive().operation(), credit_request);
    EXPECT_FALSE(guest->poll());
    auto update = test::VsockGuest::header(key, credit_update);
    update.forwarded_count = 10;
    guest->send(update);
    EXPECT_EQ(guest->receive().payload.size(), 10u);
    EXPECT_EQ(guest->receive().operation(), credit_request) << "asked for again";
}

TEST_F(VsockTest, AGuestThatSendsMoreThanThereIsRoomForIsReset) {
    guest->offer_buffers(40);
    auto& program = open_from_guest();
    const std::string piece(32_KiB, 'x');
    // The program reads nothing: its socket takes some, our room the rest.
    std::optional<test::VsockPacket> end;
    std::size_t sent = 0;
    while (!end && sent < 4_MiB) {
        guest->send_data(key, piece);
        sent += piece.size();
        end = guest->poll();
        if (end && end->operation() == credit_update) end.reset();
    }
    ASSERT_TRUE(end);
    EXPECT_EQ(end->operation(), reset);
    EXPECT_GT(sent, VsockCredit::buffer_size);
    EXPECT_TRUE(settles_at(0));
    EXPECT_NE(hear(program), "<end>") << "what the socket took is still there";
}

TEST_F(VsockTest, WhatAProgramDoesNotTakeWaitsInOrder) {
    guest->offer_buffers(60);
    auto& program = open_from_guest();
    constexpr std::size_t length = 16_KiB;
    std::string all;
    std::uint32_t passed_on = 0;  // as the guest is told
    while (all.size() + length - passed_on <= VsockCredit::buffer_size) {
        const std::string piece(length, static_cast<char>('a' + all.size() / length % 26));
        guest->send_data(key, piece);
        all += piece;
        while (const auto packet = guest->poll()) passed_on = packet->header.forwarded_count;
    }
    EXPECT_GT(all.size(), VsockCredit::buffer_size) << "the socket took some at once";
    std::string heard;
    while (heard.size() < all.size()) {
        const auto part = hear(program);
        ASSERT_FALSE(part.starts_with('<')) << part << " after " << heard.size();
        heard += part;
    }
    EXPECT_EQ(heard, all);
    const auto packet = guest->receive();
    EXPECT_EQ(packet.operation(), credit_update) << "the guest is told that there is room again";
    EXPECT_GT(+packet.header.forwarded_count, passed_on);
}

TEST_F(VsockTest, ACreditRequestIsAnswered) {
    guest->offer_buffers(16);
    open_from_guest();
    guest->send_data(key, "12345");
    guest->send(key, credit_request);
    const auto answer = guest->receive();
    EXPECT_EQ(answer.operation(), credit_update);
    EXPECT_EQ(+answer.header.buffer_size, VsockCredit::buffer_size);
    EXPECT_EQ(+answer.header.forwarded_count, 5u);
}

TEST_F(VsockTest, AProgramThatLeavesShutsDownBothWays) {
    guest->offer_buffers(16);
    auto& program = open_from_guest();
    say(program, "last words");
    program.reset();
    EXPECT_EQ(as_text(guest->receive().payload), "last words");
    const auto end = guest->receive();
    EXPECT_EQ(end.operation(), shutdown);
    EXPECT_EQ(+end.header.flags, vsock_wire::no_receive | vsock_wire::no_send);
    EXPECT_EQ(device->connection_count(), 1u) << "until the guest has agreed";
    guest->send(key, reset);
    EXPECT_TRUE(settles_at(0));
}

TEST_F(VsockTest, AProgramThatHasSaidItsAllStillListens) {
    guest->offer_buffers(16);
    auto& program = open_from_guest();
    say(program, "question");
    ::shutdown(program.get(), SHUT_WR);
    EXPECT_EQ(as_text(guest->receive().payload), "question");
    const auto half = guest->receive();
    EXPECT_EQ(half.operation(), shutdown);
    EXPECT_EQ(+half.header.flags, vsock_wire::no_send);
    guest->send_data(key, "answer");
    EXPECT_EQ(hear(program), "answer");
    program.reset();
    const auto whole = guest->receive();
    EXPECT_EQ(whole.operation(), shutdown);
    EXPECT_EQ(+whole.header.flags, vsock_wire::no_receive | vsock_wire::no_send);
}

TEST_F(VsockTest, AGuestThatHasSaidItsAllStillListens) {
    guest->offer_buffers(16);
    auto& program = open_from_guest();
    guest->send_data(key, "question");
    auto end = test::VsockGuest::header(key, shutdown);
    end.flags = vsock_wire::no_send;
    guest->send(end);
    EXPECT_EQ(hear(program), "question");
    EXPECT_EQ(hear(program), "<end>");
    say(program, "answer");
    EXPECT_EQ(as_text(guest->receive().payload), "answer");
    guest->send_data(key, "more");
    EXPECT_EQ(guest->receive().operation(), reset) << "it had said its all";
}

TEST_F(VsockTest, AGuestThatClosesGetsAResetOnceAllIsDelivered) {
    guest->offer_buffers(16);
    auto& program = open_from_guest();
    guest->send_data(key, "last words");
    auto end = test::VsockGuest::header(key, shutdown);
    end.flags = vsock_wire::no_send | vsock_wire::no_receive;
    guest->send(end);
    EXPECT_EQ(guest->receive().operation(), reset);
    EXPECT_EQ(hear(program), "last words");
    EXPECT_EQ(hear(program), "<end>");
    EXPECT_TRUE(settles_at(0));
}

TEST_F(VsockTest, AGuestThatNoLongerReceivesMayStillSend) {
    guest->offer_buffers(16);
    auto& program = open_from_guest();
    auto half = test::VsockGuest::header(key, shutdown);
    half.flags = vsock_wire::no_receive;
    guest->send(half);
    EXPECT_FALSE(guest->poll());
    guest->send_data(key, "still here");
    EXPECT_EQ(hear(program), "still here");
    EXPECT_FALSE(guest->poll()) << "it was not taken for the program's leaving";
    program.reset();
    EXPECT_EQ(guest->receive().operation(), shutdown);
}

TEST_F(VsockTest, AGuestThatDoesNotListenHoldsNothingUp) {
    // No buffers at all: 300 stray packets are answered as far as answers may wait.
    for (unsigned i = 0; i < 300; ++i) guest->send({.guest_port = i, .host_port = 5}, data);
    EXPECT_EQ(guest->sent(), 300u);
    unsigned answers = 0;
    for (unsigned round = 0; round < 10; ++round) {
        guest->offer_buffers(32, 64);
        while (guest->poll()) ++answers;
    }
    EXPECT_EQ(answers, VsockOutbox::most_resets);
}

TEST_F(VsockTest, BuffersWithoutRoomForDataGoBackUnused) {
    served->driver(0).chain().writable(44).offer();
    served->ring(0);
    const auto program = call("CONNECT 5\n");
    std::optional<test::DriverQueue::Used> used;
    ASSERT_TRUE(test::run_until(*loop, [&] {
        used = served->driver(0).take_used();
        return used.has_value();
    }));
    EXPECT_EQ(used->written, 0u);
    guest->offer_buffers(1);
    EXPECT_EQ(guest->receive().operation(), request);
}

TEST_F(VsockTest, ConnectionsAreLimited) {
    dialer.hangs = true;
    guest->offer_buffers(16);
    for (unsigned i = 0; i < Vsock::most_connections; ++i)
        guest->send({.guest_port = i, .host_port = 80}, request);
    EXPECT_EQ(device->connection_count(), Vsock::most_connections);
    // One that the guest gave up counts as long as the host still tries to reach somebody for it.
    guest->send({.guest_port = 0, .host_port = 80}, reset);
    guest->send({.guest_port = 9999, .host_port = 80}, request);
    EXPECT_EQ(guest->receive().operation(), reset);
    served->stop();
    EXPECT_EQ(device->connection_count(), 0u);
}

TEST_F(VsockTest, AResetOfTheDriverEndsEveryConnection) {
    guest->offer_buffers(16);
    auto& program = open_from_guest();
    const auto half_made = call("CONNECT 7\n");
    EXPECT_EQ(guest->receive().operation(), request);
    const auto silent = call("");
    served->stop();
    EXPECT_EQ(device->connection_count(), 0u);
    EXPECT_EQ(hear(program), "<end>");
    EXPECT_EQ(hear(half_made), "<end>");
}

TEST_F(VsockTest, TheGuestReadsItsAddress) {
    std::uint64_t cid = 0;
    device->read_config(0, std::as_writable_bytes(std::span{&cid, 1}));
    EXPECT_EQ(cid, test::VsockGuest::cid);
}

TEST_F(VsockTest, EventBuffersWait) {
    served->driver(2).chain().writable(4).offer();
    served->ring(2);
    test::turn(*loop);
    EXPECT_FALSE(served->driver(2).take_used());
}

}  // namespace
}  // namespace sheaf::virtio

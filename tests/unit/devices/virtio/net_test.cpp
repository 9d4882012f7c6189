#include "devices/virtio/net.h"

#include <gtest/gtest.h>

#include "devices/virtio/net_wire.h"
#include "fake_port.h"
#include "io/make_loop.h"
#include "support/served_device.h"
#include "support/turns.h"

namespace sheaf::virtio {
namespace {

using net::Frame;
namespace wire = net_wire;

constexpr auto all_features = ~Features{0};
constexpr Features without(unsigned bit, Features features = all_features) {
    return features & ~feature(bit);
}

// A frame with a header of 0xee and a payload that tells one byte from the other.
Frame frame(std::size_t length) {
    Frame bytes(length);
    for (std::size_t i = 0; i < length; ++i)
        bytes[i] = static_cast<std::byte>(i < sizeof(net::VnetHeader) ? 0xee : i * 13 + i / 256);
    return bytes;
}

class NetTest : public testing::Test {
  protected:
    void serve(Features features = all_features) {
        device.emplace(port, options);
        served.emplace(*loop, guest, *device, features & device->traits().features);
        control = (features & device->traits().features & feature(wire::f_mq))
                      ? port.queue_count() * 2
                      : 2;
    }
    void turn() { test::turn(*loop); }
    void offer_buffers(unsigned count, std::uint32_t size) {
        for (unsigned i = 0; i < count; ++i) served->driver(0).chain().writable(size).offer();
        served->ring(0);
        turn();
    }
    // The frame that the driver puts together from the buffers that came back, and their number.
    Frame received(std::size_t& buffers) {
        Frame whole;
        buffers = 0;
        while (const auto used = served->driver(0).take_used()) {
            const auto part = served->driver(0).written(*used);
            whole.insert(whole.end(), part.begin(), part.end());
            ++buffers;
        }
        return whole;
    }
    static std::uint16_t num_buffers(const Frame& bytes) {
        return load<std::uint16_t>(std::span{bytes}.subspan(10));
    }
    static void expect_payload(const Frame& seen, const Frame& sent) {
        ASSERT_EQ(seen.size(), sent.size());
        EXPECT_TRUE(std::ranges::equal(std::span{seen}.subspan(12), std::span{sent}.subspan(12)));
    }
    // The answer to a command, 0 and 1, or 256 where there was none.
    unsigned command(std::uint8_t command_class, std::uint8_t number,
                     std::span<const std::byte> data) {
        const std::array header{std::byte{command_class}, std::byte{number}};
        auto chain = served->driver(control).chain();
        chain.readable(header);
        if (!data.empty()) chain.readable(data);
        chain.writable(1).offer();
        const auto used = served->answer(control);
        if (!used || used->written != 1) return 256;
        return std::to_integer<unsigned>(served->driver(control).written(*used)[0]);
    }
    template <WireStruct T>
    unsigned command(std::uint8_t command_class, std::uint8_t number, const T& value) {
        return command(command_class, number, bytes_of(value));
    }
    NetConfig config() const {
        NetConfig value;
        device->read_config(0, std::as_writable_bytes(std::span{&value, 1}));
        return value;
    }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    test::FakeGuest guest;
    net::FakePort port{4};
    Net::Options options{.mac = net::MacAddress{{0x52, 0x54, 0, 1, 2, 3}}, .mtu = {}};
    std::optional<Net> device;
    std::optional<test::ServedDevice> served;
    std::size_t control = 0;
};

TEST_F(NetTest, SendsFramesInOrderFromAnyPieces) {
    serve();
    const auto first = frame(100);
    const auto second = frame(1514);
    auto& driver = served->driver(1);
    driver.chain()
        .readable(std::span{first}.first(12))
        .readable(std::span{first}.subspan(12))
        .offer();
    driver.chain()
        .readable(std::span{second}.first(5))
        .readable(std::span{second}.subspan(5))
        .offer();
    served->ring(1);
    turn();
    ASSERT_EQ(port.queue(0).sent.size(), 2u);
    EXPECT_EQ(port.queue(0).sent[0], first);
    EXPECT_EQ(port.queue(0).sent[1], second);
    EXPECT_TRUE(driver.take_used() && driver.take_used());
    EXPECT_EQ(served->interrupts(1), 1u) << "one for the turn";
}

TEST_F(NetTest, WhatCannotBeSentIsDroppedAndCounted) {
    serve();
    auto& driver = served->driver(1);
    driver.chain().readable(frame(25)).offer();                     // no whole Ethernet header
    driver.chain().writable(100).offer();                           // nothing to read
    driver.chain().piece(guest.allocate(70000), 70000, 0).offer();  // longer than any frame
    served->ring(1);
    turn();
    port.queue(0).refusing = true;
    driver.chain().readable(frame(100)).offer();
    served->ring(1);
    turn();
    EXPECT_TRUE(port.queue(0).sent.empty());
    EXPECT_EQ(device->drops().transmitted, 4u);
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(driver.take_used());
    port.queue(0).refusing = false;
    driver.chain().readable(frame(100)).offer();
    served->ring(1);
    turn();
    EXPECT_EQ(port.queue(0).sent.size(), 1u);
    EXPECT_TRUE(served->faults().empty() && served->errors().empty());
}

TEST_F(NetTest, ReceivesIntoOneBuffer) {
    serve();
    offer_buffers(4, 1526);
    const auto sent = frame(512);
    port.queue(0).arrive(sent);
    turn();
    std::size_t buffers = 0;
    const auto seen = received(buffers);
    expect_payload(seen, sent);
    EXPECT_EQ(buffers, 1u);
    EXPECT_EQ(num_buffers(seen), 1u);
    EXPECT_EQ(seen[0], std::byte{0xee}) << "the port's header passes";
}

TEST_F(NetTest, MergesBuffersForLongFrames) {
    serve();
    offer_buffers(60, 1526);
    // The first long frame comes as a surprise and is partly copied; the second one is expected.
    for (int round = 0; round < 2; ++round) {
        const auto sent = frame(40'000);
        port.queue(0).arrive(sent);
        turn();
        std::size_t buffers = 0;
        const auto seen = received(buffers);
        expect_payload(seen, sent);
        EXPECT_EQ(buffers, 27u);
        EXPECT_EQ(num_buffers(seen), 27u);
        offer_buffers(27, 1526);
    }
    const auto small = frame(60);
    port.queue(0).arrive(small);
    turn();
    std::size_t buffers = 0;
    expect_payload(received(buffers), small);
    EXPECT_EQ(buffers, 1u);
}

TEST_F(NetTest, ALongFrameWaitsForTheBuffersItNeeds) {
    serve();
    offer_buffers(2, 1000);
    const auto sent = frame(3500);
    port.queue(0).arrive(sent);
    turn();
    std::size_t buffers = 0;
    EXPECT_TRUE(received(buffers).empty());
    offer_buffers(2, 1000);
    const auto seen = received(buffers);
    expect_payload(seen, sent);
    EXPECT_EQ(num_buffers(seen), 4u);
    EXPECT_EQ(device->drops().received, 0u);
}

TEST_F(NetTest, AFrameThatCanNeverFitIsDropped) {
    serve();
    offer_buffers(64, 100);  // the whole queue
    port.queue(0).arrive(frame(7000));
    const auto good = frame(90);
    port.queue(0).arrive(good);
    turn();
    std::size_t buffers = 0;
    expect_payload(received(buffers), good);
    EXPECT_EQ(device->drops().received, 1u);
}

TEST_F(NetTest, WithoutMergingAFrameNeedsOneBuffer) {
    serve(without(wire::f_mrg_rxbuf));
    offer_buffers(4, 1526);
    port.queue(0).arrive(frame(3000));
    const auto good = frame(1526);
    port.queue(0).arrive(good);
    turn();
    std::size_t buffers = 0;
    const auto seen = received(buffers);
    expect_payload(seen, good);
    EXPECT_EQ(buffers, 1u);
    EXPECT_EQ(num_buffers(seen), 1u);
    EXPECT_EQ(device->drops().received, 1u);
}

TEST_F(NetTest, ADriverWithoutChecksumOffloadReadsNoFlags) {
    serve(without(wire::f_guest_csum));
    offer_buffers(1, 1526);
    port.queue(0).arrive(frame(100));
    turn();
    std::size_t buffers = 0;
    const auto seen = received(buffers);
    EXPECT_EQ(seen[0], std::byte{0});
    EXPECT_EQ(seen[1], std::byte{0xee});
}

TEST_F(NetTest, ABufferThatHoldsNoHeaderGoesBackUnused) {
    serve();
    served->driver(0).chain().writable(11).offer();
    served->driver(0).chain().readable(frame(100)).offer();
    offer_buffers(2, 1526);
    for (int i = 0; i < 2; ++i) {
        const auto used = served->driver(0).take_used();
        ASSERT_TRUE(used);
        EXPECT_EQ(used->written, 0u);
    }
    const auto sent = frame(100);
    port.queue(0).arrive(sent);
    turn();
    std::size_t buffers = 0;
    expect_payload(received(buffers), sent);
    EXPECT_EQ(device->drops().received, 0u);
}

TEST_F(NetTest, FramesWaitInThePortWhileThereAreNoBuffers) {
    serve();
    port.queue(0).arrive(frame(100));
    turn();
    EXPECT_EQ(port.queue(0).arriving.size(), 1u);
    offer_buffers(1, 1526);
    std::size_t buffers = 0;
    EXPECT_EQ(received(buffers).size(), 100u);
}

TEST_F(NetTest, APortThatIsGoneIsAPulledCable) {
    serve();
    offer_buffers(2, 1526);
    EXPECT_EQ(config().status, wire::status_link_up);
    port.queue(0).gone = true;
    port.queue(0).arrived.set();
    turn();
    EXPECT_EQ(config().status, 0);
    EXPECT_EQ(served->config_changes(), 1u);
    offer_buffers(2, 1526);
    EXPECT_FALSE(served->driver(0).take_used()) << "buffers are kept, not burnt";
    served->driver(1).chain().readable(frame(100)).offer();
    served->ring(1);
    turn();
    EXPECT_TRUE(port.queue(0).sent.empty());
}

TEST_F(NetTest, AResetEndsWhatWaits) {
    serve();
    offer_buffers(3, 1526);
    port.queue(0).stuck = true;
    served->driver(1).chain().readable(frame(100)).offer();
    served->ring(1);
    turn();
    served->stop();  // aborts where something still runs
    EXPECT_TRUE(port.queue(0).sent.empty());
}

TEST_F(NetTest, OffersWhatThePortCan) {
    Net full{port, options};
    EXPECT_TRUE(full.traits().features & feature(wire::f_host_uso));
    EXPECT_TRUE(full.traits().features & feature(wire::f_mq));
    EXPECT_FALSE(full.traits().features & feature(wire::f_mtu));
    EXPECT_EQ(full.traits().queue_sizes.size(), 9u);
    net::FakePort plain{1};
    plain.all = {};
    options.mtu = 9000;
    Net bare{plain, options};
    for (const auto bit : {wire::f_csum, wire::f_guest_csum, wire::f_host_tso4, wire::f_guest_tso6,
                           wire::f_host_uso, wire::f_mq, wire::f_ctrl_guest_offloads})
        EXPECT_FALSE(bare.traits().features & feature(bit)) << bit;
    EXPECT_TRUE(bare.traits().features & feature(wire::f_mtu));
}

TEST_F(NetTest, ThePortHearsWhatTheDriverAccepts) {
    serve(without(wire::f_guest_uso6, without(wire::f_guest_ecn)));
    EXPECT_EQ(port.accepted, (net::Offloads{.checksum = true, .tso4 = true, .tso6 = true}));
    EXPECT_EQ(port.in_use, 1u);
    const std::uint64_t fewer = feature(wire::f_guest_csum);
    EXPECT_EQ(command(wire::class_guest_offloads, wire::guest_offloads_set, fewer), 0u);
    EXPECT_EQ(port.accepted, net::Offloads{.checksum = true});
    const std::uint64_t not_negotiated = feature(wire::f_guest_ecn);
    EXPECT_EQ(command(wire::class_guest_offloads, wire::guest_offloads_set, not_negotiated), 1u);
    const std::uint64_t not_an_offload = feature(wire::f_mac);
    EXPECT_EQ(command(wire::class_guest_offloads, wire::guest_offloads_set, not_an_offload), 1u);
    EXPECT_EQ(port.accepted, net::Offloads{.checksum = true});
}

TEST_F(NetTest, QueuePairsComeIntoUseAsTheDriverSays) {
    serve();
    EXPECT_EQ(config().max_virtqueue_pairs, 4);
    for (const unsigned wrong : {0u, 5u, 0xffffu})
        EXPECT_EQ(command(wire::class_mq, wire::mq_pairs_set, static_cast<std::uint16_t>(wrong)),
                  1u);
    EXPECT_EQ(port.in_use, 1u);
    EXPECT_EQ(command(wire::class_mq, wire::mq_pairs_set, std::uint16_t{3}), 0u);
    EXPECT_EQ(port.in_use, 3u);
    served->driver(4).chain().writable(1526).offer();
    served->ring(4);
    port.queue(2).arrive(frame(80));
    turn();
    const auto used = served->driver(4).take_used();
    ASSERT_TRUE(used);
    EXPECT_EQ(used->written, 80u);
}

TEST_F(NetTest, WithoutMultiqueueTheControlQueueIsTheThird) {
    serve(without(wire::f_mq));
    EXPECT_EQ(command(wire::class_rx, 0, std::uint8_t{1}), 0u);
    EXPECT_EQ(command(wire::class_mq, wire::mq_pairs_set, std::uint16_t{1}), 1u);
}

TEST_F(NetTest, CommandsAreChecked) {
    serve();
    const auto some = [](std::size_t size) { return std::vector<std::byte>(size); };
    EXPECT_EQ(command(wire::class_rx, 0, std::uint8_t{1}), 0u);
    EXPECT_EQ(command(wire::class_rx, 5, std::uint8_t{0}), 0u);
    EXPECT_EQ(command(wire::class_rx, 6, std::uint8_t{0}), 1u);
    EXPECT_EQ(command(wire::class_rx, 0, std::uint8_t{2}), 1u);
    EXPECT_EQ(command(wire::class_rx, 0, some(0)), 1u);
    EXPECT_EQ(command(wire::class_rx, 0, some(2)), 1u);
    EXPECT_EQ(command(wire::class_vlan, 0, std::uint16_t{4095}), 0u);
    EXPECT_EQ(command(wire::class_vlan, 1, std::uint16_t{4096}), 1u);
    EXPECT_EQ(command(wire::class_vlan, 2, std::uint16_t{1}), 1u);
    EXPECT_EQ(command(77, 0, some(4)), 1u);
    EXPECT_EQ(command(wire::class_mac, 2, some(6)), 1u);
    // Address tables: two, each a count and that many addresses.
    EXPECT_EQ(command(wire::class_mac, wire::mac_table_set, some(8)), 0u);
    auto table = some(14);
    table[0] = std::byte{1};
    EXPECT_EQ(command(wire::class_mac, wire::mac_table_set, table), 0u);
    table[3] = std::byte{0x80};
    EXPECT_EQ(command(wire::class_mac, wire::mac_table_set, table), 1u);
    EXPECT_TRUE(served->faults().empty() && served->errors().empty());
}

TEST_F(NetTest, ACommandWithoutRoomForAnAnswerIsHandedBack) {
    serve();
    served->driver(control).chain().readable(std::uint16_t{0}).offer();
    const auto used = served->answer(control);
    ASSERT_TRUE(used);
    EXPECT_EQ(used->written, 0u);
}

TEST_F(NetTest, TheDriverMayTakeAnotherAddress) {
    serve();
    EXPECT_EQ(config().mac, options.mac.octets);
    const net::MacAddress other{{0x02, 1, 2, 3, 4, 5}};
    EXPECT_EQ(command(wire::class_mac, wire::mac_addr_set, other), 0u);
    EXPECT_EQ(config().mac, other.octets);
    EXPECT_EQ(command(wire::class_mac, wire::mac_addr_set, net::MacAddress{{1, 1, 2, 3, 4, 5}}),
              1u);
    EXPECT_EQ(config().mac, other.octets);
}

TEST_F(NetTest, AsksTheDriverToAnnounceItself) {
    serve();
    EXPECT_EQ(command(wire::class_announce, wire::announce_ack, std::span<const std::byte>{}), 0u);
    device->announce();
    EXPECT_EQ(config().status, wire::status_link_up | wire::status_announce);
    EXPECT_EQ(served->config_changes(), 1u);
    EXPECT_EQ(command(wire::class_announce, wire::announce_ack, std::span<const std::byte>{}), 0u);
    EXPECT_EQ(config().status, wire::status_link_up);
    device->set_link(Link::down);
    EXPECT_EQ(config().status, 0);
    EXPECT_EQ(served->config_changes(), 2u);
}

}  // namespace
}  // namespace sheaf::virtio

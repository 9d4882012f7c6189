#include "devices/virtio/pci_transport.h"

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "scripted_device.h"
#include "support/driven_transport.h"
#include "support/turns.h"
#include "vmm/layout.h"

namespace sheaf::virtio {
namespace {

namespace common = test::common;
namespace layout = pci_layout;
using Host = test::FakeDoorbells::Host;
using Sent = std::vector<vmm::MsiMessage>;

constexpr std::uint8_t features_ok = status::acknowledge | status::driver | status::features_ok;
constexpr std::uint8_t driving = features_ok | status::driver_ok;
constexpr Features basic = version_1 | ring_event_index;

class TransportTest : public testing::Test {
  protected:
    explicit TransportTest(Host host = Host::has_room) : host_(host) {}
    ~TransportTest() override { device().released.set(); }

    ScriptedDevice& device() { return *device_; }
    bool until(auto condition) { return test::run_until(*loop, condition); }
    // A driver that does everything right, with these vectors.
    void start(std::uint16_t config_vector = no_vector, std::uint16_t queue_vector = no_vector) {
        ASSERT_EQ(driven.negotiate(basic), features_ok);
        driven.set(common::config_vector, config_vector);
        driven.enable(queue.setup(), queue_vector);
        driven.drive();
        ASSERT_TRUE(until([this] { return device().serving == 1; }));
    }
    // One chain that the device has taken and holds.
    void hold_one() {
        queue.chain().writable(8).offer();
        driven.notify(0);
        ASSERT_TRUE(until([this] { return device().taken == 1; }));
    }
    void turns(int count = 5) {
        for (int i = 0; i < count; ++i) test::turn(*loop);
    }
    std::uint8_t isr() const { return driven.get<std::uint8_t>(layout::isr); }

    const Host host_;
    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    test::FakeGuest guest;
    test::DriverQueue queue{guest, {.indirect = false}};
    std::unique_ptr<ScriptedDevice> owned_ = std::make_unique<ScriptedDevice>();
    ScriptedDevice* device_ = owned_.get();
    test::DrivenTransport driven{*loop, guest, std::move(owned_), host_};
};

TEST_F(TransportTest, IsAModernDeviceOfItsType) {
    EXPECT_EQ(driven.config<std::uint32_t>(pci::config::vendor), 0x10441af4u);
    EXPECT_GE(driven.config<std::uint8_t>(pci::config::revision), 1);
    EXPECT_EQ(driven.offered(),
              feature(3) | version_1 | ring_event_index | ring_indirect_descriptors);
    EXPECT_EQ(driven.config<std::uint16_t>(driven.capability(layout::msix_capability) + 2), 2)
        << "a vector for each queue and one for the configuration";
}

TEST_F(TransportTest, ADriverReachesItsDeviceByRegistersAlone) {
    start();
    EXPECT_EQ(driven.status(), driving);
    EXPECT_EQ(device().negotiated, basic);
    EXPECT_EQ(device().activations, 1u);
    device().released.set();
    const auto head = queue.chain().writable(8).offer();
    ASSERT_TRUE(queue.must_ring());
    driven.notify(0);
    std::optional<test::DriverQueue::Used> used;
    ASSERT_TRUE(until([&] { return (used = queue.take_used()).has_value(); }));
    EXPECT_EQ(used->head, head);
}

TEST_F(TransportTest, ADeviceIsNotDrivenWithoutAcceptableFeatures) {
    EXPECT_EQ(driven.negotiate(version_1 | feature(4)), status::acknowledge | status::driver);
    driven.enable(queue.setup());
    driven.drive();
    turns();
    EXPECT_EQ(driven.status(), status::acknowledge | status::driver);
    EXPECT_EQ(device().activations, 0u);
    EXPECT_TRUE(driven.doorbells().places().empty());
}

TEST_F(TransportTest, WhatWasOfferedBeforeDriverOkIsServedWithoutADoorbell) {
    driven.negotiate(basic);
    driven.enable(queue.setup());
    queue.chain().writable(8).offer();
    turns();
    EXPECT_EQ(device().taken, 0u) << "nothing before DRIVER_OK (virtio 1.2, 2.1.2)";
    driven.drive();
    EXPECT_TRUE(until([this] { return device().taken == 1; }));
}

TEST_F(TransportTest, AQueueOutsideOfMemoryNeedsAReset) {
    const auto end = guest.end();
    const auto spoils = std::to_array<void (*)(QueueSetup&, Gpa)>(
        {[](QueueSetup& setup, Gpa last) { setup.descriptors = last; },
         [](QueueSetup& setup, Gpa) { setup.descriptors = setup.descriptors + 1; },
         [](QueueSetup& setup, Gpa last) { setup.driver_area = Gpa{last.value() - 2}; },
         [](QueueSetup& setup, Gpa) { setup.device_area = Gpa{~std::uint64_t{3}}; }});
    auto faults = 0u;
    for (const auto spoil : spoils) {
        auto setup = queue.setup();
        spoil(setup, end);
        driven.negotiate(basic);
        driven.enable(setup);
        driven.drive();
        ++faults;
        ASSERT_TRUE(until([&] { return driven.transport().faults() == faults; }));
        EXPECT_EQ(driven.status(), driving | status::needs_reset);
        EXPECT_EQ(isr(), 2);
        EXPECT_EQ(device().activations, 0u);
        driven.reset();
        EXPECT_EQ(driven.status(), 0);
    }
    start();
    EXPECT_EQ(device().activations, 1u) << "after a reset all is well";
}

TEST_F(TransportTest, ADeviceThatRefusesNeedsAReset) {
    device().refuses = true;
    driven.negotiate(basic);
    driven.enable(queue.setup());
    driven.drive();
    ASSERT_TRUE(until([&] { return driven.status() == (driving | status::needs_reset); }));
    EXPECT_EQ(device().serving, 0u);
    EXPECT_EQ(device().deactivations, 0u);
    EXPECT_TRUE(driven.doorbells().places().empty());
}

TEST_F(TransportTest, AResetWaitsForWhatIsInFlight) {
    start();
    hold_one();
    driven.reset();
    turns(20);
    EXPECT_EQ(driven.status(), driving) << "not yet: the device may still write";
    driven.set(common::queue_select, std::uint16_t{1});
    driven.set_status(status::acknowledge);
    EXPECT_EQ(driven.get<std::uint16_t>(common::queue_select), 0)
        << "writes in between are dropped";
    device().released.set();
    ASSERT_TRUE(until([this] { return driven.status() == 0; }));
    EXPECT_EQ(device().deactivations, 1u);
    EXPECT_EQ(queue.used_index(), 0) << "a queue that was reset is left alone";
    EXPECT_TRUE(driven.doorbells().places().empty());
}

TEST_F(TransportTest, AfterAResetRegistersReadAsAtFirst) {
    const auto all = [this] {
        std::vector<std::uint32_t> words;
        for (const std::uint32_t half : {0, 1}) {
            driven.set(common::driver_feature_select, half);
            words.push_back(driven.get<std::uint32_t>(common::driver_feature));
        }
        driven.set(common::driver_feature_select, std::uint32_t{0});
        for (std::uint32_t at = 0; at < Registers::size; at += 2)
            if (at != common::status) words.push_back(driven.get<std::uint16_t>(at));
        words.push_back(driven.status());
        return words;
    };
    const auto fresh = all();
    start(2, 1);
    device().change_config();
    driven.reset();
    ASSERT_TRUE(until([this] { return driven.status() == 0; }));
    EXPECT_EQ(all(), fresh);
    start();
    EXPECT_EQ(device().activations, 2u);
}

TEST_F(TransportTest, AResetWithoutASessionIsDoneAtOnce) {
    driven.negotiate(basic);
    driven.enable(queue.setup());
    driven.reset();
    EXPECT_EQ(driven.status(), 0);
    EXPECT_EQ(driven.get<std::uint16_t>(common::queue_enable), 0);
}

TEST_F(TransportTest, AResetForgetsWhatTheIsrHadToSay) {
    start();
    device().change_config();
    driven.reset();
    ASSERT_TRUE(until([this] { return driven.status() == 0; }));
    EXPECT_EQ(isr(), 0);
    device().change_config();  // without a session
    driven.reset();
    EXPECT_EQ(isr(), 0);
}

TEST_F(TransportTest, AResetBeforeTheSessionHasBegunEndsIt) {
    driven.negotiate(basic);
    driven.enable(queue.setup());
    driven.drive();
    driven.reset();
    EXPECT_NE(driven.status(), 0);
    ASSERT_TRUE(until([this] { return driven.status() == 0; }));
    EXPECT_EQ(device().serving, 0u);
}

TEST_F(TransportTest, AQueueThatBreaksNeedsAResetAndThenWorks) {
    start();
    queue.put_available(99);
    driven.notify(0);
    ASSERT_TRUE(until([&] { return driven.status() == (driving | status::needs_reset); }));
    EXPECT_EQ(driven.transport().faults(), 1u);
    EXPECT_EQ(isr(), 2);
    ASSERT_TRUE(until([&] { return driven.doorbells().places().empty(); }));
    driven.set_status(driving);
    turns();
    EXPECT_EQ(driven.status(), driving | status::needs_reset) << "only a reset helps";
    driven.reset();
    ASSERT_TRUE(until([this] { return driven.status() == 0; }));
    test::DriverQueue again{guest, {.indirect = false}};
    driven.negotiate(basic);
    driven.enable(again.setup());
    again.chain().writable(8).offer();
    driven.drive();
    EXPECT_TRUE(until([this] { return device().taken == 1; }));
}

TEST_F(TransportTest, ADeviceThatFailsNeedsAReset) {
    start();
    device().fails = true;
    queue.put_available(99);
    driven.notify(0);
    ASSERT_TRUE(until([&] { return driven.transport().faults() == 2; }));
    EXPECT_EQ(driven.status(), driving | status::needs_reset);
}

TEST_F(TransportTest, AUsedBufferRaisesItsQueuesVector) {
    driven.open_vector(0);
    const auto wanted = driven.open_vector(1);
    start(0, 1);
    queue.enable_interrupts();
    device().released.set();
    queue.chain().writable(8).offer();
    driven.notify(0);
    ASSERT_TRUE(until([this] { return queue.used_index() == 1; }));
    EXPECT_EQ(driven.msi().take_sent(), Sent{wanted});
}

TEST_F(TransportTest, AChangedConfigurationRaisesItsVectorAndTheGeneration) {
    const auto wanted = driven.open_vector(2);
    start(2, 0);
    const auto before = driven.get<std::uint8_t>(common::generation);
    device().change_config();
    EXPECT_EQ(driven.msi().take_sent(), Sent{wanted});
    EXPECT_NE(driven.get<std::uint8_t>(common::generation), before);
    EXPECT_EQ(isr(), 2);
    EXPECT_EQ(isr(), 0) << "reading clears it";
}

TEST_F(TransportTest, WithoutAVectorThereIsNoInterruptButTheIsrSaysIt) {
    for (unsigned vector = 0; vector < 3; ++vector) driven.open_vector(vector);
    start(no_vector, 7);
    EXPECT_EQ(driven.get<std::uint16_t>(common::queue_vector), no_vector) << "there is no seventh";
    queue.enable_interrupts();
    device().released.set();
    device().change_config();
    queue.chain().writable(8).offer();
    driven.notify(0);
    ASSERT_TRUE(until([this] { return queue.used_index() == 1; }));
    EXPECT_EQ(driven.msi().take_sent(), Sent{});
    EXPECT_EQ(driven.get<std::uint16_t>(layout::isr), 3);
    EXPECT_EQ(isr(), 0);
}

TEST_F(TransportTest, MessageControlMasksAndDisables) {
    const auto control = driven.capability(layout::msix_capability) + 2;
    const auto wanted = driven.open_vector(2);
    start(2, 0);
    driven.set_config(control, std::uint16_t{0xc000});
    device().change_config();
    EXPECT_EQ(driven.msi().take_sent(), Sent{});
    driven.set_config(control, std::uint16_t{0x8000});
    EXPECT_EQ(driven.msi().take_sent(), Sent{wanted});
    driven.set_config(control, std::uint16_t{0});
    device().change_config();
    EXPECT_EQ(driven.msi().take_sent(), Sent{});
}

TEST_F(TransportTest, DoorbellsAreWhereTheBarIs) {
    const auto first = driven.registers();
    const auto notify_at = [](Gpa bar) { return std::vector{(bar + layout::notify).value()}; };
    start();
    EXPECT_EQ(driven.doorbells().places(), notify_at(first));
    const auto second = static_cast<std::uint32_t>(vmm::layout::mmio_window.value()) + 0x1000000;
    driven.set_config(pci::config::bars, second);
    driven.follow_bar();
    EXPECT_EQ(driven.doorbells().places(), notify_at(Gpa{second}));
    EXPECT_EQ(driven.status(), driving);
    EXPECT_EQ(driven.read<std::uint8_t>(first + common::status), 0xff);
    hold_one();
    driven.set_config(pci::config::command, std::uint16_t{0});
    EXPECT_TRUE(driven.doorbells().places().empty());
    driven.set_config(pci::config::command, pci::command_memory);
    EXPECT_EQ(driven.doorbells().places(), notify_at(Gpa{second}));
}

TEST_F(TransportTest, DeviceConfigurationIsReachedInAnyWidthWithinItsSize) {
    for (std::uint32_t i = 0; i < 6; ++i)
        driven.set(layout::device + i, static_cast<std::uint8_t>(0x11 * (i + 1)));
    EXPECT_EQ(driven.get<std::uint32_t>(layout::device), 0x44332211u);
    EXPECT_EQ(driven.get<std::uint16_t>(layout::device + 3), 0x5544);
    EXPECT_EQ(driven.get<std::uint64_t>(layout::device), 0x0000665544332211u);
    EXPECT_EQ(driven.get<std::uint32_t>(layout::device + 5), 0x66u);
    for (const auto beyond : {6u, 7u, 8u, 0xffcu})
        EXPECT_EQ(driven.get<std::uint32_t>(layout::device + beyond), 0u);
    driven.set(layout::device + 4, ~std::uint32_t{0});
    driven.set(layout::device + 0xffc, ~std::uint32_t{0});
    EXPECT_EQ(driven.get<std::uint64_t>(layout::device), 0x0000665544332211u);
}

// The window of VIRTIO_PCI_CAP_PCI_CFG (virtio 1.2, section 4.1.4.9).
class WindowTest : public TransportTest {
  protected:
    void aim(std::uint32_t offset, std::uint32_t length, std::uint8_t bar = 0) {
        driven.set_config(at + layout::access_bar, bar);
        driven.set_config(at + layout::access_offset, offset);
        driven.set_config(at + layout::access_length, length);
    }
    template <class T>
    T data() const {
        return driven.config<T>(at + layout::access_data);
    }
    template <class T>
    void set_data(T value) {
        driven.set_config(at + layout::access_data, value);
    }
    const unsigned at = driven.capability(layout::vendor_capability,
                                          static_cast<std::uint8_t>(layout::Structure::access));
};

TEST_F(WindowTest, ReachesTheRegistersAlsoWhereTheBarIsNowhere) {
    driven.set_config(pci::config::command, std::uint16_t{0});
    EXPECT_EQ(driven.status(), 0xff);
    aim(common::status, 1);
    set_data(std::uint8_t{1});
    EXPECT_EQ(data<std::uint8_t>(), 1);
    set_data(std::uint32_t{0xffffff03});
    EXPECT_EQ(data<std::uint32_t>(), 3u) << "as many bytes as the length says";
    aim(common::queue_select, 2);
    set_data(std::uint16_t{1});
    aim(common::queue_size, 2);
    EXPECT_EQ(data<std::uint16_t>(), 8);
    aim(common::driver_feature, 4);
    set_data(std::uint32_t{0x12345678});
    EXPECT_EQ(data<std::uint32_t>(), 0x12345678u);
    driven.set_config(pci::config::command, pci::command_memory);
    EXPECT_EQ(driven.status(), 3);
}

TEST_F(WindowTest, AnAimThatIsNotSoundReachesNothing) {
    struct Aim {
        std::uint32_t offset;
        std::uint32_t length;
        std::uint8_t bar;
    };
    constexpr Aim bad[] = {{common::status, 1, 1},
                           {common::status, 1, 6},
                           {common::status, 1, 255},
                           {common::status, 0, 0},
                           {common::status, 3, 0},
                           {16, 8, 0},
                           {18, 4, 0},
                           {common::status, ~0u, 0},
                           {~0u, 1, 0},
                           {~0u - 3, 4, 0},
                           {layout::registers_size, 1, 0},
                           {layout::device + 1, 2, 0},
                           {layout::device + 1, 3, 0}};
    for (const auto& [offset, length, bar] : bad) {
        aim(offset, length, bar);
        set_data(std::uint32_t{0x01010101});
        EXPECT_EQ(data<std::uint32_t>(), 0u) << offset << '+' << length;
        EXPECT_EQ(driven.status(), 0);
    }
    aim(common::driver_feature, 4);
    set_data(std::uint16_t{0xffff});
    EXPECT_EQ(driven.get<std::uint32_t>(common::driver_feature), 0u) << "narrower than the length";
    aim(layout::registers_size - 4, 4);
    EXPECT_EQ(data<std::uint32_t>(), 0u);
}

TEST_F(WindowTest, RingsADoorbell) {
    start();
    queue.chain().writable(8).offer();
    aim(layout::notify, 2);
    set_data(std::uint16_t{0});
    EXPECT_TRUE(until([this] { return device().taken == 1; }));
}

// A host that has no doorbells to give.
class SlowDoorbellTest : public TransportTest {
  protected:
    SlowDoorbellTest() : TransportTest(Host::has_none) {}
};

TEST_F(SlowDoorbellTest, ANotifyWriteArrivesAsARegister) {
    start();
    EXPECT_TRUE(driven.doorbells().places().empty());
    queue.chain().writable(8).offer();
    driven.set(layout::notify + 1, std::uint16_t{0});
    driven.set(layout::notify + layout::notify_multiplier, std::uint16_t{0});
    driven.set(layout::notify + 0xffc, std::uint32_t{0});
    turns(20);
    EXPECT_EQ(device().taken, 0u) << "those were other queues' places";
    driven.set(layout::notify, std::uint32_t{0});
    EXPECT_TRUE(until([this] { return device().taken == 1; }));
}

TEST_F(SlowDoorbellTest, ANotifyWithoutASessionIsForgotten) {
    driven.set(layout::notify, std::uint16_t{0});
    start();
    hold_one();
    driven.reset();
    device().released.set();
    ASSERT_TRUE(until([this] { return driven.status() == 0; }));
    driven.set(layout::notify, std::uint16_t{0});
    turns();
    EXPECT_EQ(device().taken, 1u);
}

}  // namespace
}  // namespace sheaf::virtio

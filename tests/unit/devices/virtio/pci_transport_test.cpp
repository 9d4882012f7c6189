// The transport as a guest's driver uses it: through configuration space and BARs alone.

#include "devices/virtio/pci_transport.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "io/event.h"
#include "io/make_loop.h"
#include "support/driver_queue.h"
#include "support/fake_msi.h"
#include "support/turns.h"
#include "vmm/layout.h"

namespace sheaf::virtio {
namespace {

namespace layout = pci_layout;

constexpr std::uint64_t registers_at = vmm::layout::mmio_window.value();
constexpr std::uint64_t msix_at = registers_at + layout::registers_size;

// Fields of virtio_pci_common_cfg.
constexpr std::uint64_t driver_feature_select = 8, driver_feature = 12, config_vector = 16,
                        device_status = 20, generation = 21, queue_select = 22, queue_size = 24,
                        queue_vector = 26, queue_enable = 28, queue_desc = 32;

// Answers each chain with one byte; holds them back while the test says so.
class EchoDevice final : public Device {
  public:
    explicit EchoDevice(io::Loop& loop) : loop_(loop) {}
    const Traits& traits() const override { return traits_; }
    void read_config(std::uint32_t offset, std::span<std::byte> data) const override {
        for (auto& byte : data) byte = static_cast<std::byte>(0xc0 + offset++);
    }
    void write_config(std::uint32_t offset, std::span<const std::byte> data) override {
        written.emplace_back(offset, load_register(data));
    }
    Result<void> activate(Features features) override {
        activated = features;
        if (refuse) return fail(Kind::io, "it does not work");
        return {};
    }
    io::Task<void> serve(Queue& queue) override {
        ++serving;
        io::TaskGroup group;
        while (auto chain = co_await queue.next()) group.start(answer(*std::move(chain)));
        co_await group.join();
        --serving;
    }
    void deactivate() override { ++deactivated; }
    void change() { config_changed(); }

    std::vector<std::pair<std::uint32_t, std::uint64_t>> written;
    Features activated = 0;
    bool refuse = false;
    bool hold = false;
    int serving = 0;
    int deactivated = 0;

  private:
    io::Task<void> answer(Chain chain) {
        while (hold) co_await loop_.sleep(std::chrono::microseconds{100});
        constexpr std::byte answer{0x42};
        if (chain.writable().copy_in(std::span{&answer, 1})) chain.set_written(1);
    }

    io::Loop& loop_;
    Traits traits_{.type = DeviceType::entropy,
                   .features = feature(3),
                   .queue_sizes = {64, 64},
                   .config_size = 8,
                   .pci_class = 0xff0000};
};

struct FakeDoorbells final : vmm::Doorbells {
    Result<void> attach(Gpa address, const Fd& event) override {
        if (broken) return fail(Kind::unsupported, "no doorbells");
        attached[address.value()] = event.get();
        return {};
    }
    void detach(Gpa address, const Fd&) override { attached.erase(address.value()); }
    void ring(std::uint64_t address) { ::eventfd_write(attached.at(address), 1); }
    std::map<std::uint64_t, int> attached;
    bool broken = false;
};

struct PciTransportTest : testing::Test {
    PciTransportTest() {
        auto owned = std::make_unique<EchoDevice>(*loop);
        device = owned.get();
        transport.emplace(Surroundings{*loop, guest.memory(), memory, controller, doorbells, log},
                          std::move(owned));
        EXPECT_TRUE(transport->assign_bars(vmm::layout::mmio_window, vmm::layout::ecam));
    }
    ~PciTransportTest() override {
        device->hold = false;
        EXPECT_TRUE(io::run(*loop, transport->shutdown()));
    }

    template <WireStruct T>
    T read(std::uint64_t offset) {
        T value{};
        EXPECT_TRUE(
            memory.read(registers_at + offset, std::as_writable_bytes(std::span{&value, 1})));
        return value;
    }
    template <WireStruct T>
    void write(std::uint64_t offset, T value) {
        EXPECT_TRUE(memory.write(registers_at + offset, bytes_of(value)));
    }
    std::uint8_t status() { return read<std::uint8_t>(device_status); }
    void set_status(unsigned value) { write(device_status, static_cast<std::uint8_t>(value)); }
    bool until(std::function<bool()> condition) { return test::run_until(*loop, condition); }

    void enable_vectors() {
        std::uint16_t control = 0x8000;
        for (unsigned at = 0x40; at < 0xff;) {
            std::array<std::byte, 2> head{};
            transport->read_config(at, head);
            if (head[0] == std::byte{layout::msix_capability}) {
                transport->write_config(at + 2, bytes_of(control));
                break;
            }
            at = std::to_integer<unsigned>(head[1]);
        }
        for (unsigned vector = 0; vector < 3; ++vector) {
            memory.write(msix_at + vector * 16, bytes_of(std::uint32_t{0xfee00000}));
            memory.write(msix_at + vector * 16 + 8, bytes_of(std::uint32_t{0x40 + vector}));
            memory.write(msix_at + vector * 16 + 12, bytes_of(std::uint32_t{0}));
        }
    }
    // A new ring in memory of its own.
    void set_up_queue(std::uint16_t index) {
        queue.emplace(
            guest, test::DriverQueue::Options{.size = 16, .event_index = false, .indirect = false});
        const auto& setup = queue->setup();
        write(queue_select, index);
        write(queue_size, setup.size);
        write(queue_vector, static_cast<std::uint16_t>(index + 1));
        write(queue_desc, setup.descriptors.value());
        write(queue_desc + 8, setup.driver_area.value());
        write(queue_desc + 16, setup.device_area.value());
        write(queue_enable, std::uint16_t{1});
    }
    // Everything up to DRIVER_OK, with queue 0 alone.
    void start() {
        set_status(3);
        write(driver_feature_select, std::uint32_t{1});
        write(driver_feature, std::uint32_t{1});
        set_status(11);
        ASSERT_EQ(status(), 11);
        write(config_vector, std::uint16_t{0});
        set_up_queue(0);
        set_status(15);
        ASSERT_TRUE(until([this] { return device->serving == 1; }));
    }
    // Offers a byte's room and rings; whether it came back answered.
    bool answered() {
        queue->chain().writable(1).offer();
        doorbells.ring(registers_at + layout::notify);
        return until([this] { return queue->take_used().has_value(); });
    }
    std::vector<std::uint32_t> sent() const {
        std::vector<std::uint32_t> data;
        for (const auto& message : controller.sent) data.push_back(message.data);
        return data;
    }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    test::FakeGuest guest;
    vmm::Bus memory;
    test::FakeMsi controller;
    FakeDoorbells doorbells;
    Fd nowhere = test::must(checked_fd(::eventfd(0, 0), "a descriptor that takes no text"));
    Logger log{nowhere.get(), LogLevel::error};
    std::optional<test::DriverQueue> queue;
    EchoDevice* device = nullptr;
    std::optional<PciTransport> transport;
};

TEST_F(PciTransportTest, CapabilitiesLeadToEveryStructure) {
    std::map<unsigned, std::pair<std::uint32_t, std::uint32_t>> found;  // offset and length by kind
    std::array<std::byte, 256> space{};
    transport->read_config(0, space);
    const auto byte = [&](unsigned at) { return std::to_integer<unsigned>(space.at(at)); };
    EXPECT_EQ(load<std::uint32_t>(space), 0x10441af4u);
    unsigned capabilities = 0;
    for (unsigned at = byte(0x34); at != 0; at = byte(at + 1), ++capabilities) {
        ASSERT_LT(capabilities, 10u);
        if (byte(at) != layout::vendor_capability) continue;
        EXPECT_GE(byte(at + 2), 16u);
        found[byte(at + 3)] = {load<std::uint32_t>(std::span{space}.subspan(at + 8)),
                               load<std::uint32_t>(std::span{space}.subspan(at + 12))};
        if (byte(at + 3) == 2)
            EXPECT_EQ(load<std::uint32_t>(std::span{space}.subspan(at + 16)), 4u);
    }
    ASSERT_EQ(found.size(), 5u);
    for (const unsigned kind : {1u, 2u, 3u, 4u}) {
        EXPECT_EQ(found[kind].first % 4, 0u);
        EXPECT_GE(found[kind].second, kind == 1 ? 56u : 1u);
        EXPECT_LE(found[kind].first + found[kind].second, layout::registers_size);
    }
}

TEST_F(PciTransportTest, ARequestIsAnsweredWithOneInterrupt) {
    enable_vectors();
    start();
    EXPECT_EQ(device->activated, version_1);
    EXPECT_TRUE(answered());
    EXPECT_EQ(sent(), std::vector{0x41u});
    EXPECT_EQ(read<std::uint8_t>(layout::isr), 1);
    EXPECT_EQ(read<std::uint8_t>(layout::isr), 0);  // reading clears it
    EXPECT_EQ(transport->faults(), 0u);
}

TEST_F(PciTransportTest, AResetEndsWhenAllThatIsInFlightHasComeBack) {
    start();
    device->hold = true;
    queue->chain().writable(1).offer();
    doorbells.ring(registers_at + layout::notify);
    test::let_sleep(*loop);
    set_status(0);
    for (int turn = 0; turn < 20; ++turn) {
        test::let_sleep(*loop);
        EXPECT_NE(status(), 0);
    }
    set_status(3);  // a driver that does not wait is not heard
    write(config_vector, std::uint16_t{1});
    EXPECT_EQ(read<std::uint16_t>(config_vector), 0u);
    device->hold = false;
    EXPECT_TRUE(until([this] { return status() == 0; }));
    EXPECT_EQ(device->deactivated, 1);
    EXPECT_EQ(device->serving, 0);
    EXPECT_TRUE(doorbells.attached.empty());
    EXPECT_FALSE(queue->take_used());  // nothing is written into a ring that was taken away
    write(queue_select, std::uint16_t{0});
    EXPECT_EQ(read<std::uint16_t>(queue_size), 64u);
}

TEST_F(PciTransportTest, ADeviceStartsAgainAfterAReset) {
    start();
    EXPECT_TRUE(answered());
    set_status(0);
    ASSERT_TRUE(until([this] { return status() == 0; }));
    start();
    EXPECT_TRUE(answered());
}

TEST_F(PciTransportTest, AQueueOutsideOfMemoryNeedsAReset) {
    set_status(3);
    write(driver_feature_select, std::uint32_t{1});
    write(driver_feature, std::uint32_t{1});
    set_status(11);
    write(queue_desc, std::uint64_t{1} << 40);
    write(queue_enable, std::uint16_t{1});
    set_status(15);
    EXPECT_TRUE(until([this] { return (status() & status::needs_reset) != 0; }));
    EXPECT_EQ(device->serving, 0);
    EXPECT_EQ(transport->faults(), 1u);
    EXPECT_EQ(read<std::uint8_t>(layout::isr), 2);
    set_status(0);
    EXPECT_TRUE(until([this] { return status() == 0; }));
    start();
    EXPECT_TRUE(answered());
}

TEST_F(PciTransportTest, ADeviceThatCannotStartNeedsAReset) {
    device->refuse = true;
    set_status(3);
    write(driver_feature_select, std::uint32_t{1});
    write(driver_feature, std::uint32_t{1});
    set_up_queue(0);
    set_status(15);
    EXPECT_TRUE(until([this] { return (status() & status::needs_reset) != 0; }));
}

TEST_F(PciTransportTest, ABrokenRingNeedsAReset) {
    enable_vectors();
    start();
    queue->put_available(200);  // no such descriptor
    doorbells.ring(registers_at + layout::notify);
    EXPECT_TRUE(until([this] { return (status() & status::needs_reset) != 0; }));
    EXPECT_EQ(transport->faults(), 1u);
    EXPECT_EQ(sent(), std::vector{0x40u});  // the configuration's vector
}

TEST_F(PciTransportTest, TheDevicesConfigurationIsReadAndWrittenWithinItsSize) {
    EXPECT_EQ(read<std::uint32_t>(layout::device + 4), 0xc7c6c5c4u);
    EXPECT_EQ(read<std::uint64_t>(layout::device + 4), 0xc7c6c5c4u);  // the rest is zero
    EXPECT_EQ(read<std::uint32_t>(layout::device + 8), 0u);
    write(layout::device + 6, std::uint16_t{0x1234});
    write(layout::device + 7, std::uint16_t{0x1234});  // reaches beyond
    write(layout::device + 8, std::uint8_t{1});
    ASSERT_EQ(device->written.size(), 1u);
    EXPECT_EQ(device->written[0], std::pair(6u, std::uint64_t{0x1234}));
}

TEST_F(PciTransportTest, AChangeOfTheConfigurationIsAnInterruptAndAGeneration) {
    enable_vectors();
    start();
    const auto before = read<std::uint8_t>(generation);
    device->change();
    EXPECT_EQ(read<std::uint8_t>(generation), before + 1);
    EXPECT_EQ(sent(), std::vector{0x40u});
    EXPECT_EQ(read<std::uint8_t>(layout::isr), 2);
}

TEST_F(PciTransportTest, DoorbellsFollowTheBar) {
    start();
    const auto moved = static_cast<std::uint32_t>(registers_at + 0x100000);
    transport->write_config(pci::config::bars, bytes_of(moved));
    ASSERT_EQ(doorbells.attached.size(), 1u);
    EXPECT_TRUE(doorbells.attached.contains(moved + layout::notify));
    queue->chain().writable(1).offer();
    doorbells.ring(moved + layout::notify);
    EXPECT_TRUE(until([this] { return queue->take_used().has_value(); }));
    transport->write_config(pci::config::command, bytes_of(std::uint16_t{0}));
    EXPECT_TRUE(doorbells.attached.empty());
}

TEST_F(PciTransportTest, WithoutDoorbellsAPlainWriteRings) {
    doorbells.broken = true;
    start();
    test::let_sleep(*loop);
    queue->chain().writable(1).offer();
    write(layout::notify, std::uint16_t{0});
    EXPECT_TRUE(until([this] { return queue->take_used().has_value(); }));
}

TEST_F(PciTransportTest, TheWindowInConfigurationSpaceReachesTheRegisters) {
    std::array<std::byte, 256> space{};
    transport->read_config(0, space);
    unsigned access = 0x40;
    while (std::to_integer<unsigned>(space.at(access + 3)) != 5 ||
           space.at(access) != std::byte{layout::vendor_capability})
        access = std::to_integer<unsigned>(space.at(access + 1));
    const auto aim = [&](std::uint32_t offset, std::uint32_t length) {
        transport->write_config(access + layout::access_offset, bytes_of(offset));
        transport->write_config(access + layout::access_length, bytes_of(length));
    };
    const auto window = [&] {
        std::uint32_t value{};
        transport->read_config(access + layout::access_data,
                               std::as_writable_bytes(std::span{&value, 1}));
        return value;
    };
    aim(device_status, 1);
    transport->write_config(access + layout::access_data, bytes_of(std::uint32_t{3}));
    EXPECT_EQ(status(), 3);
    EXPECT_EQ(window(), 3u);
    aim(layout::device + 4, 4);
    EXPECT_EQ(window(), 0xc7c6c5c4u);
    // Nothing is reached where the rules for the window are broken.
    for (const auto& [offset, length] :
         {std::pair{1u, 4u}, {layout::registers_size, 4u}, {0u, 3u}, {0u, 8u}}) {
        aim(offset, length);
        EXPECT_EQ(window(), 0u) << offset << " " << length;
    }
}

// What the vCPU threads do at once with what the loop does; TSan looks on.
TEST_F(PciTransportTest, RegistersAreUsedFromOtherThreadsWhileTheLoopServes) {
    enable_vectors();
    std::atomic<bool> done = false;
    const auto vcpu = [&] {
        for (int round = 0; round < 300; ++round) {
            set_status(0);
            while (status() != 0) std::this_thread::yield();
            set_status(3);
            write(driver_feature_select, std::uint32_t{1});
            write(driver_feature, std::uint32_t{1});
            set_up_queue(0);
            set_status(15);
            write(layout::notify, std::uint16_t{0});
            memory.write(msix_at + 12,
                         bytes_of(std::uint32_t{static_cast<std::uint32_t>(round) & 1}));
            const auto to = static_cast<std::uint32_t>(registers_at + (round % 2) * 0x100000u);
            transport->write_config(pci::config::bars, bytes_of(to));
            transport->write_config(pci::config::bars,
                                    bytes_of(static_cast<std::uint32_t>(registers_at)));
        }
        done = true;
    };
    const auto looker = [&] {
        while (!done) {
            std::uint32_t value{};
            memory.read(registers_at + layout::device,
                        std::as_writable_bytes(std::span{&value, 1}));
            memory.read(registers_at + layout::isr,
                        std::as_writable_bytes(std::span{&value, 1}).first(1));
            memory.read(msix_at + pci::Msix::pending_offset,
                        std::as_writable_bytes(std::span{&value, 1}));
            loop->post([&] { device->change(); });
            std::this_thread::yield();
        }
    };
    {
        std::jthread first{vcpu};
        std::jthread second{looker};
        EXPECT_TRUE(until([&] { return done.load(); }));
    }
    EXPECT_TRUE(until([this] { return device->serving <= 1; }));
}

}  // namespace
}  // namespace sheaf::virtio

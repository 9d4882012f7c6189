#include "devices/virtio/registers.h"

#include <array>

#include <gtest/gtest.h>

namespace sheaf::virtio {
namespace {

// Offsets of virtio_pci_common_cfg, written out as a driver has them.
constexpr std::uint64_t device_feature_select = 0, device_feature = 4, driver_feature_select = 8,
                        driver_feature = 12, config_vector = 16, queue_count = 18,
                        device_status = 20, generation = 21, queue_select = 22, queue_size = 24,
                        queue_vector = 26, queue_enable = 28, queue_notify = 30, queue_desc = 32,
                        queue_driver = 40, queue_device = 48;

constexpr Features offered_feature = feature(5);
const Traits traits{.type = DeviceType::block,
                    .features = offered_feature | feature(40),
                    .queue_sizes = {256, 64},
                    .config_size = 8,
                    .pci_class = 0};

struct RegistersTest : testing::Test {
    template <WireStruct T>
    T read(std::uint64_t offset) const {
        T value{};
        registers.read(offset, std::as_writable_bytes(std::span{&value, 1}));
        return value;
    }
    template <WireStruct T>
    Registers::Effect write(std::uint64_t offset, T value) {
        return registers.write(offset, bytes_of(value));
    }
    Registers::Effect set_status(unsigned value) {
        return write(device_status, static_cast<std::uint8_t>(value));
    }
    std::uint8_t status() const { return read<std::uint8_t>(device_status); }
    void accept(Features features) {
        for (const std::uint32_t half : {0u, 1u}) {
            write(driver_feature_select, half);
            write(driver_feature, static_cast<std::uint32_t>(features >> 32 * half));
        }
    }
    void select(std::uint16_t queue) { write(queue_select, queue); }

    static constexpr auto none = Registers::Effect::none;
    Registers registers{traits, 3};
};

TEST_F(RegistersTest, FeaturesAreOfferedInTwoWindows) {
    EXPECT_EQ(
        read<std::uint32_t>(device_feature),
        static_cast<std::uint32_t>(offered_feature | ring_event_index | ring_indirect_descriptors));
    write(device_feature_select, std::uint32_t{1});
    EXPECT_EQ(read<std::uint32_t>(device_feature),
              static_cast<std::uint32_t>((version_1 | feature(40)) >> 32));
    write(device_feature_select, std::uint32_t{2});
    EXPECT_EQ(read<std::uint32_t>(device_feature), 0u);
    EXPECT_EQ(read<std::uint32_t>(device_feature_select), 2u);
}

TEST_F(RegistersTest, ADriverComesUpStepByStep) {
    EXPECT_EQ(set_status(1), none);
    EXPECT_EQ(set_status(3), none);
    accept(version_1 | offered_feature);
    EXPECT_EQ(set_status(11), none);
    EXPECT_EQ(status(), 11);
    EXPECT_EQ(registers.negotiated(), version_1 | offered_feature);
    EXPECT_EQ(set_status(15), Registers::Effect::activate);
    EXPECT_EQ(status(), 15);
    EXPECT_EQ(set_status(15), none);  // once
}

TEST_F(RegistersTest, UnacceptableFeaturesAreRefusedByTheBitThatDoesNotStay) {
    set_status(3);
    accept(offered_feature);  // not VERSION_1
    set_status(11);
    EXPECT_EQ(status(), 3);
    accept(version_1 | feature(7));  // never offered
    set_status(11);
    EXPECT_EQ(status(), 3);
    accept(version_1);
    set_status(11);
    EXPECT_EQ(status(), 11);
    accept(version_1 | offered_feature);  // too late
    EXPECT_EQ(registers.negotiated(), version_1);
}

TEST_F(RegistersTest, StepsOutOfOrderAreNotTaken) {
    EXPECT_EQ(set_status(2), none);
    EXPECT_EQ(status(), 0);
    set_status(1);
    EXPECT_EQ(set_status(5), none);  // DRIVER_OK before FEATURES_OK
    EXPECT_EQ(status(), 1);
    set_status(9);  // FEATURES_OK before DRIVER
    EXPECT_EQ(status(), 1);
    set_status(3);
    EXPECT_EQ(set_status(1), none);  // bits are never taken back
    EXPECT_EQ(status(), 3);
    EXPECT_EQ(set_status(0x43), none);  // NEEDS_RESET is the device's
    EXPECT_EQ(status(), 3);
    set_status(0x83);
    EXPECT_EQ(status(), 0x83);
}

TEST_F(RegistersTest, AllStepsAtOnceAreTakenInOrder) {
    accept(version_1);
    EXPECT_EQ(set_status(15), Registers::Effect::activate);
    EXPECT_EQ(status(), 15);
}

TEST_F(RegistersTest, AResetForgetsEverythingButTheGeneration) {
    accept(version_1);
    set_status(11);
    write(config_vector, std::uint16_t{1});
    select(1);
    write(queue_size, std::uint16_t{8});
    write(queue_vector, std::uint16_t{2});
    write(queue_desc, std::uint32_t{0x1000});
    write(queue_enable, std::uint16_t{1});
    registers.configuration_changed();
    EXPECT_EQ(set_status(0), Registers::Effect::reset);
    registers.reset();
    EXPECT_EQ(status(), 0);
    EXPECT_EQ(registers.negotiated(), 0u);
    EXPECT_EQ(read<std::uint16_t>(config_vector), no_vector);
    EXPECT_EQ(read<std::uint16_t>(queue_select), 0u);
    select(1);
    EXPECT_EQ(read<std::uint16_t>(queue_size), 64u);
    EXPECT_EQ(read<std::uint16_t>(queue_vector), no_vector);
    EXPECT_EQ(read<std::uint16_t>(queue_enable), 0u);
    EXPECT_EQ(read<std::uint32_t>(queue_desc), 0u);
    EXPECT_EQ(read<std::uint8_t>(generation), 1u);
}

TEST_F(RegistersTest, QueuesAreSetUpOneByOne) {
    EXPECT_EQ(read<std::uint16_t>(queue_count), 2u);
    accept(version_1 | ring_event_index);
    select(1);
    EXPECT_EQ(read<std::uint16_t>(queue_size), 64u);
    EXPECT_EQ(read<std::uint16_t>(queue_notify), 1u);
    write(queue_size, std::uint16_t{16});
    write(queue_desc, std::uint64_t{0x1'0000'2000});
    write(queue_driver, std::uint32_t{0x3000});
    write(queue_driver + 4, std::uint32_t{2});
    write(queue_device, std::uint64_t{0x4000});
    write(queue_vector, std::uint16_t{2});
    write(queue_enable, std::uint16_t{1});
    const auto& queue = registers.queues()[1];
    EXPECT_TRUE(queue.enabled);
    EXPECT_FALSE(registers.queues()[0].enabled);
    EXPECT_EQ(queue.setup.size, 16);
    EXPECT_EQ(queue.setup.descriptors, Gpa{0x1'0000'2000});
    EXPECT_EQ(queue.setup.driver_area, Gpa{0x2'0000'3000});
    EXPECT_EQ(queue.setup.device_area, Gpa{0x4000});
    EXPECT_EQ(queue.vector, 2);
    EXPECT_TRUE(queue.setup.event_index);
    EXPECT_FALSE(queue.setup.indirect);
    EXPECT_EQ(read<std::uint64_t>(queue_desc), 0x1'0000'2000u);
    EXPECT_EQ(read<std::uint32_t>(queue_driver + 4), 2u);
}

TEST_F(RegistersTest, AnEnabledQueueKeepsItsPlace) {
    write(queue_desc, std::uint32_t{0x1000});
    write(queue_enable, std::uint16_t{2});  // only 1 enables
    EXPECT_FALSE(registers.queues()[0].enabled);
    write(queue_enable, std::uint16_t{1});
    write(queue_desc, std::uint32_t{0x9000});
    write(queue_size, std::uint16_t{2});
    write(queue_enable, std::uint16_t{0});
    EXPECT_TRUE(registers.queues()[0].enabled);
    EXPECT_EQ(read<std::uint32_t>(queue_desc), 0x1000u);
    EXPECT_EQ(read<std::uint16_t>(queue_size), 256u);
}

TEST_F(RegistersTest, SizesThatDoNotFitAreRefused) {
    for (const auto size : std::to_array<std::uint16_t>({0, 3, 512, 0xffff})) {
        write(queue_size, size);
        EXPECT_EQ(read<std::uint16_t>(queue_size), 256u) << size;
    }
}

TEST_F(RegistersTest, AQueueThatDoesNotExistHasNoSizeAndTakesNothing) {
    select(2);
    EXPECT_EQ(read<std::uint16_t>(queue_size), 0u);
    write(queue_enable, std::uint16_t{1});
    write(queue_desc, std::uint32_t{0x1000});
    EXPECT_EQ(read<std::uint16_t>(queue_enable), 0u);
    EXPECT_EQ(read<std::uint32_t>(queue_desc), 0u);
    EXPECT_FALSE(registers.queues()[0].enabled || registers.queues()[1].enabled);
}

TEST_F(RegistersTest, VectorsThatDoNotExistReadBackAsNone) {
    write(config_vector, std::uint16_t{2});
    EXPECT_EQ(read<std::uint16_t>(config_vector), 2u);
    write(config_vector, std::uint16_t{3});
    EXPECT_EQ(read<std::uint16_t>(config_vector), no_vector);
    write(queue_vector, std::uint16_t{0x100});
    EXPECT_EQ(read<std::uint16_t>(queue_vector), no_vector);
}

TEST_F(RegistersTest, OtherWidthsAndPlacesReadZeroAndChangeNothing) {
    set_status(3);
    EXPECT_EQ(read<std::uint16_t>(device_status), 0u);
    EXPECT_EQ(read<std::uint32_t>(device_feature + 1), 0u);
    EXPECT_EQ(read<std::uint8_t>(queue_size), 0u);
    EXPECT_EQ(read<std::uint64_t>(Registers::size), 0u);
    write(queue_size, std::uint8_t{8});
    write(device_status, std::uint32_t{0});
    write(queue_desc + 1, std::uint32_t{0xffffffff});
    EXPECT_EQ(status(), 3);
    EXPECT_EQ(read<std::uint16_t>(queue_size), 256u);
    EXPECT_EQ(read<std::uint64_t>(queue_desc), 0u);
}

TEST_F(RegistersTest, TheDeviceAsksForAReset) {
    set_status(3);
    registers.set_needs_reset();
    EXPECT_EQ(status(), 0x43);
    EXPECT_EQ(read<std::uint8_t>(generation), 1u);
}

}  // namespace
}  // namespace sheaf::virtio

#include "devices/virtio/registers.h"

#include <gtest/gtest.h>

#include "support/driven_transport.h"

namespace sheaf::virtio {
namespace {

namespace common = test::common;
using Effect = Registers::Effect;

constexpr Features own = feature(5) | feature(40);
constexpr std::uint8_t up_to_driver = status::acknowledge | status::driver;
constexpr std::uint8_t up_to_features = up_to_driver | status::features_ok;
constexpr std::uint8_t driving = up_to_features | status::driver_ok;

class RegistersTest : public testing::Test {
  protected:
    template <class T>
    Effect set(std::uint64_t offset, T value) {
        return registers.write(offset, bytes_of(value));
    }
    template <class T>
    T get(std::uint64_t offset) const {
        T value{};
        registers.read(offset, std::as_writable_bytes(std::span{&value, 1}));
        return value;
    }
    Effect set_status(unsigned value) {
        return set(common::status, static_cast<std::uint8_t>(value));
    }
    std::uint8_t status_now() const { return get<std::uint8_t>(common::status); }
    void accept(Features features) {
        for (const std::uint32_t half : {0, 1}) {
            set(common::driver_feature_select, half);
            set(common::driver_feature, static_cast<std::uint32_t>(features >> 32 * half));
        }
    }
    void select(std::uint16_t queue) { set(common::queue_select, queue); }

    Registers registers{{.type = DeviceType::net, .features = own, .queue_sizes = {256, 64}}, 3};
};

TEST_F(RegistersTest, OffersTheDevicesFeaturesAndTheRingsIn32BitWindows) {
    set(common::device_feature_select, std::uint32_t{0});
    EXPECT_EQ(get<std::uint32_t>(common::device_feature), 1u << 5 | 1u << 28 | 1u << 29);
    set(common::device_feature_select, std::uint32_t{1});
    EXPECT_EQ(get<std::uint32_t>(common::device_feature), 1u << 8 | 1u);
    for (const std::uint32_t beyond : {2u, 64u, ~0u}) {
        set(common::device_feature_select, beyond);
        EXPECT_EQ(get<std::uint32_t>(common::device_feature), 0u);
        EXPECT_EQ(get<std::uint32_t>(common::device_feature_select), beyond);
        set(common::driver_feature_select, beyond);
        set(common::driver_feature, ~std::uint32_t{0});
        EXPECT_EQ(get<std::uint32_t>(common::driver_feature), 0u);
    }
    EXPECT_EQ(registers.negotiated(), 0u);
}

TEST_F(RegistersTest, Version1IsRequired) {
    set_status(up_to_driver);
    accept(own);
    set_status(up_to_features);
    EXPECT_EQ(status_now(), up_to_driver);
    accept(own | version_1);
    set_status(up_to_features);
    EXPECT_EQ(status_now(), up_to_features);
    EXPECT_EQ(registers.negotiated(), own | version_1);
}

TEST_F(RegistersTest, FeaturesThatWereNotOfferedAreRefused) {
    set_status(up_to_driver);
    for (const auto bit : {0u, 24u, 33u, 34u, 63u}) {
        accept(version_1 | feature(bit));
        set_status(up_to_features);
        EXPECT_EQ(status_now(), up_to_driver) << bit;
    }
}

TEST_F(RegistersTest, FeaturesStandOnceTheyWereAccepted) {
    set_status(up_to_driver);
    accept(version_1);
    set_status(up_to_features);
    accept(version_1 | own);
    EXPECT_EQ(registers.negotiated(), version_1);
}

TEST_F(RegistersTest, EveryStepNeedsTheOneBefore) {
    set_status(status::driver);
    EXPECT_EQ(status_now(), 0);
    accept(version_1);
    set_status(status::acknowledge | status::features_ok);
    EXPECT_EQ(status_now(), status::acknowledge) << "not without DRIVER";
    EXPECT_EQ(set_status(up_to_driver | status::driver_ok), Effect::none);
    EXPECT_EQ(status_now(), up_to_driver) << "not without FEATURES_OK";
    EXPECT_EQ(set_status(driving), Effect::activate);
    EXPECT_EQ(status_now(), driving);
    EXPECT_EQ(set_status(driving), Effect::none) << "it is driven already";
}

TEST_F(RegistersTest, BitsAreOnlyEverAdded) {
    set_status(up_to_driver);
    set_status(status::acknowledge);
    EXPECT_EQ(status_now(), up_to_driver);
    set_status(status::driver | status::failed);
    EXPECT_EQ(status_now(), up_to_driver) << "a write that clears a bit sets none either";
    set_status(up_to_driver | status::failed);
    EXPECT_EQ(status_now(), up_to_driver | status::failed);
    set_status(up_to_driver);
    EXPECT_EQ(status_now(), up_to_driver | status::failed);
}

TEST_F(RegistersTest, TheDriverSetsNoBitOfTheDevicesAndNoneThatIsNotDefined) {
    set_status(up_to_driver | status::needs_reset | 16 | 32);
    EXPECT_EQ(status_now(), up_to_driver);
    registers.set_needs_reset();
    EXPECT_EQ(status_now(), up_to_driver | status::needs_reset);
    accept(version_1);
    set_status(up_to_features);
    EXPECT_EQ(status_now(), up_to_features | status::needs_reset) << "nor does it clear one";
}

TEST_F(RegistersTest, ZeroAsksForAResetAndChangesNothingItself) {
    set_status(up_to_driver);
    EXPECT_EQ(set_status(0), Effect::reset);
    EXPECT_EQ(status_now(), up_to_driver);
}

TEST_F(RegistersTest, AfterAResetEverythingIsAsItWas) {
    const Registers fresh{{.type = DeviceType::net, .features = own, .queue_sizes = {256, 64}}, 3};
    set_status(up_to_driver);
    accept(version_1 | own);
    set_status(driving);
    set(common::device_feature_select, std::uint32_t{1});
    set(common::config_vector, std::uint16_t{2});
    for (const auto queue : std::initializer_list<std::uint16_t>{1, 0}) {
        select(queue);
        set(common::queue_size, std::uint16_t{16});
        set(common::queue_descriptors, 0x11223344'55667788u);
        set(common::queue_driver_area, ~std::uint64_t{0});
        set(common::queue_device_area, ~std::uint64_t{0});
        set(common::queue_vector, std::uint16_t{1});
        set(common::queue_enable, std::uint16_t{1});
    }
    select(1);
    registers.set_needs_reset();
    registers.reset();
    for (const auto queue : std::initializer_list<std::uint16_t>{0, 1}) {
        for (std::uint64_t at = 0; at < Registers::size; ++at) {
            if (at == common::generation) continue;  // counts on, so that no change is missed
            const auto same = [&](auto value) {
                registers.read(at, std::as_writable_bytes(std::span{&value, 1}));
                auto expected = value;
                select(queue);
                auto other = fresh;
                other.write(common::queue_select, bytes_of(queue));
                other.read(at, std::as_writable_bytes(std::span{&expected, 1}));
                registers.read(at, std::as_writable_bytes(std::span{&value, 1}));
                return value == expected;
            };
            EXPECT_TRUE(same(std::uint8_t{})) << at;
            EXPECT_TRUE(same(std::uint16_t{})) << at;
            EXPECT_TRUE(same(std::uint32_t{})) << at;
        }
    }
    registers.reset();
    EXPECT_EQ(get<std::uint16_t>(common::queue_select), 0);
    EXPECT_EQ(registers.negotiated(), 0u);
}

TEST_F(RegistersTest, QueueSizesArePowersOfTwoUpToTheLimit) {
    select(1);
    EXPECT_EQ(get<std::uint16_t>(common::queue_size), 64);
    for (const auto bad : std::initializer_list<std::uint16_t>{0, 3, 63, 65, 128, 32768, 65535}) {
        set(common::queue_size, bad);
        EXPECT_EQ(get<std::uint16_t>(common::queue_size), 64) << bad;
    }
    for (const auto good : std::initializer_list<std::uint16_t>{1, 2, 32, 64}) {
        set(common::queue_size, good);
        EXPECT_EQ(get<std::uint16_t>(common::queue_size), good);
    }
    select(0);
    EXPECT_EQ(get<std::uint16_t>(common::queue_size), 256) << "another queue's is its own";
}

TEST_F(RegistersTest, AQueueThatIsNotThereHasSizeZeroAndTakesNothing) {
    EXPECT_EQ(get<std::uint16_t>(common::queue_count), 2);
    for (const auto queue : std::initializer_list<std::uint16_t>{2, 0x7fff, 0xffff}) {
        select(queue);
        EXPECT_EQ(get<std::uint16_t>(common::queue_select), queue);
        for (auto at = common::queue_size; at < Registers::size; ++at) set(at, ~std::uint16_t{0});
        set(common::queue_enable, std::uint16_t{1});
        EXPECT_EQ(get<std::uint16_t>(common::queue_size), 0);
        EXPECT_EQ(get<std::uint16_t>(common::queue_enable), 0);
    }
    for (const auto& queue : registers.queues()) EXPECT_FALSE(queue.enabled);
}

TEST_F(RegistersTest, AddressesAreWrittenWholeOrInHalves) {
    constexpr std::uint32_t areas[] = {common::queue_descriptors, common::queue_driver_area,
                                       common::queue_device_area};
    for (const auto area : areas) {
        set(area, 0x11223344'55667788u + area);
        EXPECT_EQ(get<std::uint64_t>(area), 0x11223344'55667788u + area);
        set(area + 4, std::uint32_t{0xaabbccdd});
        EXPECT_EQ(get<std::uint64_t>(area), 0xaabbccdd'55667788u + area);
        set(area, std::uint32_t{area});
        EXPECT_EQ(get<std::uint64_t>(area), 0xaabbccdd'00000000u + area);
        EXPECT_EQ(get<std::uint32_t>(area + 4), 0xaabbccddu);
    }
    const auto& setup = registers.queues()[0].setup;
    EXPECT_EQ(setup.descriptors.value(), 0xaabbccdd'00000020u);
    EXPECT_EQ(setup.driver_area.value(), 0xaabbccdd'00000028u);
    EXPECT_EQ(setup.device_area.value(), 0xaabbccdd'00000030u);
}

TEST_F(RegistersTest, AnEnabledQueueKeepsItsPlaceButNotItsVector) {
    set(common::queue_enable, std::uint16_t{2});
    EXPECT_EQ(get<std::uint16_t>(common::queue_enable), 0) << "only 1 enables";
    set(common::queue_descriptors, std::uint64_t{0x1000});
    set(common::queue_enable, std::uint16_t{1});
    set(common::queue_enable, std::uint16_t{0});
    EXPECT_EQ(get<std::uint16_t>(common::queue_enable), 1) << "only a reset disables";
    set(common::queue_descriptors, std::uint64_t{0x2000});
    set(common::queue_descriptors + 4, std::uint32_t{7});
    set(common::queue_size, std::uint16_t{2});
    EXPECT_EQ(get<std::uint64_t>(common::queue_descriptors), 0x1000u);
    EXPECT_EQ(get<std::uint16_t>(common::queue_size), 256);
    set(common::queue_vector, std::uint16_t{1});
    EXPECT_EQ(get<std::uint16_t>(common::queue_vector), 1);
}

TEST_F(RegistersTest, RingFeaturesOfAQueueAreThoseNegotiated) {
    for (const auto ring : {ring_event_index, ring_indirect_descriptors}) {
        set_status(up_to_driver);
        accept(version_1 | ring);
        set_status(up_to_features);
        set(common::queue_enable, std::uint16_t{1});
        const auto& setup = registers.queues()[0].setup;
        EXPECT_EQ(setup.event_index, ring == ring_event_index);
        EXPECT_EQ(setup.indirect, ring == ring_indirect_descriptors);
        registers.reset();
    }
}

TEST_F(RegistersTest, VectorsBeyondTheTableReadBackAsNone) {
    for (const auto field : {common::config_vector, common::queue_vector}) {
        EXPECT_EQ(get<std::uint16_t>(field), no_vector);
        set(field, std::uint16_t{2});
        EXPECT_EQ(get<std::uint16_t>(field), 2);
        set(field, std::uint16_t{3});
        EXPECT_EQ(get<std::uint16_t>(field), no_vector) << "the driver sees that it failed";
        set(field, std::uint16_t{0});
        EXPECT_EQ(get<std::uint16_t>(field), 0);
        set(field, no_vector);
        EXPECT_EQ(get<std::uint16_t>(field), no_vector);
    }
}

TEST_F(RegistersTest, GenerationCountsChanges) {
    const auto before = get<std::uint8_t>(common::generation);
    registers.configuration_changed();
    const auto after = get<std::uint8_t>(common::generation);
    EXPECT_NE(before, after);
    set(common::generation, std::uint8_t{99});
    EXPECT_EQ(get<std::uint8_t>(common::generation), after);
}

TEST_F(RegistersTest, AFieldIsReachedAtItsPlaceAndInItsWidthOnly) {
    set_status(up_to_driver);
    EXPECT_EQ(get<std::uint16_t>(common::status), 0);
    EXPECT_EQ(get<std::uint32_t>(common::status), 0u);
    EXPECT_EQ(get<std::uint16_t>(common::device_feature), 0);
    EXPECT_EQ(get<std::uint8_t>(common::queue_size), 0);
    EXPECT_EQ(get<std::uint32_t>(common::queue_size), 0u);
    EXPECT_EQ(get<std::uint16_t>(common::queue_size + 1), 0);
    set(common::status, std::uint16_t{0});
    set(common::status, std::uint32_t{0});
    EXPECT_EQ(status_now(), up_to_driver);
    set(common::queue_size, std::uint8_t{2});
    set(common::queue_size, std::uint32_t{2});
    EXPECT_EQ(get<std::uint16_t>(common::queue_size), 256);
    set(common::queue_enable, std::uint32_t{1});
    EXPECT_EQ(get<std::uint16_t>(common::queue_enable), 0);
    set(common::queue_descriptors + 2, ~std::uint32_t{0});
    set(common::queue_descriptors + 1, ~std::uint64_t{0});
    EXPECT_EQ(get<std::uint64_t>(common::queue_descriptors), 0u);
    for (std::uint64_t at = Registers::size; at < 0x1000; at += 4) {
        set(at, ~std::uint32_t{0});
        ASSERT_EQ(get<std::uint32_t>(at), 0u) << at;
    }
}

}  // namespace
}  // namespace sheaf::virtio

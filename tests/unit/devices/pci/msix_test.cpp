#include "devices/pci/msix.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "support/fake_interrupts.h"

namespace sheaf::pci {
namespace {

constexpr std::uint16_t enable = 1 << 15;
constexpr std::uint16_t mask_all = 1 << 14;

using Sent = std::vector<vmm::MsiMessage>;

vmm::MsiMessage message_of(unsigned vector) {
    return {.address = 0x1'fee00000u + 0x1000u * vector, .data = 0x40 + vector};
}

class MsixTest : public testing::Test {
  protected:
    template <class T>
    T get(std::uint64_t offset) {
        T value{};
        msix.read(offset, std::as_writable_bytes(std::span{&value, 1}));
        return value;
    }
    template <class T>
    void set(std::uint64_t offset, T value) {
        msix.write(offset, bytes_of(value));
    }
    void mask(unsigned vector) { set(16 * vector + 12, std::uint32_t{1}); }
    void unmask(unsigned vector) { set(16 * vector + 12, std::uint32_t{0}); }
    // As a driver sets a vector up.
    void use(unsigned vector) {
        const auto message = message_of(vector);
        set(16 * vector, static_cast<std::uint32_t>(message.address));
        set(16 * vector + 4, static_cast<std::uint32_t>(message.address >> 32));
        set(16 * vector + 8, message.data);
        unmask(vector);
    }
    std::uint64_t pending() { return get<std::uint64_t>(Msix::pending_offset); }

    test::FakeMsi controller;
    Msix msix{controller, 3};
};

TEST_F(MsixTest, VectorsBeginMaskedAndSilent) {
    for (unsigned vector = 0; vector < 3; ++vector) {
        EXPECT_EQ(get<std::uint64_t>(16 * vector), 0u);
        EXPECT_EQ(get<std::uint32_t>(16 * vector + 12), 1u);
    }
    msix.trigger(0);
    EXPECT_EQ(pending(), 0u) << "a disabled function has no messages to be pending";
    msix.set_control(enable);
    msix.trigger(1);
    EXPECT_EQ(controller.take_sent(), Sent{});
    EXPECT_EQ(pending(), 0b010u);
}

TEST_F(MsixTest, AnOpenVectorSendsItsMessage) {
    use(0);
    use(2);
    msix.set_control(enable);
    msix.trigger(2);
    msix.trigger(0);
    msix.trigger(0);
    EXPECT_EQ(controller.take_sent(), (Sent{message_of(2), message_of(0), message_of(0)}));
    EXPECT_EQ(pending(), 0u);
    EXPECT_EQ(controller.routes(), 2u) << "vectors nobody uses cost the host nothing";
}

TEST_F(MsixTest, AMaskedVectorIsSentOnceWhenItIsUnmasked) {
    msix.set_control(enable);
    use(1);
    mask(1);
    msix.trigger(1);
    msix.trigger(1);
    EXPECT_EQ(controller.take_sent(), Sent{});
    EXPECT_EQ(pending(), 0b010u);
    unmask(1);
    EXPECT_EQ(controller.take_sent(), Sent{message_of(1)});
    EXPECT_EQ(pending(), 0u);
    mask(1);
    unmask(1);
    EXPECT_EQ(controller.take_sent(), Sent{});
}

TEST_F(MsixTest, TheFunctionMaskHoldsAllAndLetsGoOfThoseThatAreOpen) {
    use(0);
    use(1);
    msix.set_control(enable | mask_all);
    mask(1);
    msix.trigger(0);
    msix.trigger(1);
    EXPECT_EQ(controller.take_sent(), Sent{});
    EXPECT_EQ(pending(), 0b011u);
    msix.set_control(enable);
    EXPECT_EQ(controller.take_sent(), Sent{message_of(0)});
    EXPECT_EQ(pending(), 0b010u);
    unmask(1);
    EXPECT_EQ(controller.take_sent(), Sent{message_of(1)});
}

TEST_F(MsixTest, WhatIsPendingGoesWhereTheVectorPointsWhenItIsSent) {
    msix.set_control(enable);
    use(0);
    mask(0);
    msix.trigger(0);
    set(8, std::uint32_t{0x99});
    unmask(0);
    auto moved = message_of(0);
    moved.data = 0x99;
    EXPECT_EQ(controller.take_sent(), Sent{moved});
    set(8, std::uint32_t{0x9a});  // unmasked: from now on
    msix.trigger(0);
    moved.data = 0x9a;
    EXPECT_EQ(controller.take_sent(), Sent{moved});
}

TEST_F(MsixTest, ADisabledFunctionSendsNothing) {
    msix.set_control(enable);
    use(0);
    msix.set_control(0);
    msix.trigger(0);
    EXPECT_EQ(controller.take_sent(), Sent{});
    msix.set_control(enable);
    EXPECT_EQ(controller.take_sent(), Sent{});
    msix.trigger(0);
    EXPECT_EQ(controller.take_sent(), Sent{message_of(0)});
}

TEST_F(MsixTest, VectorsThatDoNotExistRaiseNothing) {
    msix.set_control(enable);
    for (unsigned vector = 0; vector < 3; ++vector) use(vector);
    for (const auto vector : {3u, 63u, 64u, 127u, 128u, 0xffffu, ~0u}) msix.trigger(vector);
    EXPECT_EQ(controller.take_sent(), Sent{});
    EXPECT_EQ(pending(), 0u);
}

TEST_F(MsixTest, TheTableIsReadAndWrittenInWordsAndHalves) {
    set(16, std::uint64_t{0x12345678'fee01003});
    EXPECT_EQ(get<std::uint64_t>(16), 0x12345678'fee01000u) << "the low two bits are zero";
    EXPECT_EQ(get<std::uint32_t>(20), 0x12345678u);
    set(24, std::uint64_t{0xfffffffe'000000aa});  // data, and the control's reserved bits
    EXPECT_EQ(get<std::uint64_t>(24), 0xaau);
    EXPECT_EQ(get<std::uint64_t>(0), 0u);
    EXPECT_EQ(get<std::uint64_t>(32), 0u);
}

TEST_F(MsixTest, OtherWidthsAndPlacesReadZeroAndChangeNothing) {
    use(0);
    set(0, std::uint8_t{0xff});
    set(8, std::uint16_t{0xffff});
    set(6, std::uint32_t{0xffffffff});
    set(4, std::uint64_t{~0ull});
    EXPECT_EQ(get<std::uint8_t>(8), 0);
    EXPECT_EQ(get<std::uint16_t>(8), 0);
    EXPECT_EQ(get<std::uint32_t>(6), 0u);
    EXPECT_EQ(get<std::uint64_t>(4), 0u);
    const auto message = message_of(0);
    EXPECT_EQ(get<std::uint64_t>(0), message.address);
    EXPECT_EQ(get<std::uint64_t>(8), message.data);
    for (std::uint64_t offset = 3 * 16; offset < Msix::bar_size; offset += 4) {
        set(offset, ~std::uint32_t{0});
        ASSERT_EQ(get<std::uint32_t>(offset), 0u) << offset;
    }
    EXPECT_EQ(pending(), 0u) << "pending bits are for reading";
}

TEST(Msix, TheLargestTableHasItsPendingBitsInTwoWords) {
    test::FakeMsi controller;
    Msix msix{controller, 4096};
    ASSERT_EQ(msix.vectors(), Msix::vector_limit);
    msix.set_control(enable);
    for (const auto vector : {0u, 31u, 32u, 63u, 64u, 127u, 128u}) msix.trigger(vector);
    const auto word = [&](std::uint64_t at) {
        std::uint32_t value = 0;
        msix.read(Msix::pending_offset + at, std::as_writable_bytes(std::span{&value, 1}));
        return value;
    };
    EXPECT_EQ(word(0), 0x80000001u);
    EXPECT_EQ(word(4), 0x80000001u);
    EXPECT_EQ(word(8), 0x00000001u);
    EXPECT_EQ(word(12), 0x80000000u);
    EXPECT_EQ(word(16), 0u);
}

TEST(Msix, AVectorTheHostHasNoRouteForIsSilentAndTheOthersWork) {
    test::FakeMsi controller{1};
    {
        Msix msix{controller, 2};
        msix.set_control(enable);
        for (unsigned vector = 0; vector < 2; ++vector)
            msix.write(16 * vector + 12, bytes_of(std::uint32_t{0}));
        msix.trigger(1);
        EXPECT_TRUE(controller.take_sent().empty());
        msix.trigger(0);
        EXPECT_EQ(controller.take_sent().size(), 1u);
    }
    EXPECT_EQ(controller.routes(), 0u) << "a function that is gone gives its routes back";
}

}  // namespace
}  // namespace sheaf::pci

#include "devices/pci/msix.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "support/fake_msi.h"

namespace sheaf::pci {
namespace {

constexpr std::uint16_t enable = 1 << 15;
constexpr std::uint16_t mask_all = 1 << 14;

struct MsixTest : testing::Test {
    std::uint32_t read(std::uint64_t offset) {
        std::uint32_t value{};
        msix.read(offset, std::as_writable_bytes(std::span{&value, 1}));
        return value;
    }
    void write(std::uint64_t offset, std::uint32_t value) { msix.write(offset, bytes_of(value)); }
    void program(unsigned vector, std::uint32_t data) {
        write(vector * 16, 0xfee01000);
        write(vector * 16 + 4, 0);
        write(vector * 16 + 8, data);
    }
    void mask(unsigned vector, std::uint32_t masked) { write(vector * 16 + 12, masked); }

    test::FakeMsi controller;
    Msix msix{controller, 3};
};

TEST_F(MsixTest, EveryVectorBeginsMaskedAndSilent) {
    for (unsigned vector = 0; vector < 3; ++vector) EXPECT_EQ(read(vector * 16 + 12), 1u);
    msix.trigger(0);
    msix.set_control(enable);
    EXPECT_TRUE(controller.sent.empty());
    EXPECT_TRUE(controller.routes.empty());
}

TEST_F(MsixTest, AnOpenVectorSendsItsMessage) {
    msix.set_control(enable);
    program(1, 0x41);
    mask(1, 0);
    msix.trigger(1);
    msix.trigger(1);
    const auto message = vmm::MsiMessage{0xfee01000, 0x41};
    EXPECT_EQ(controller.sent, (std::vector{message, message}));
}

TEST_F(MsixTest, AMaskedVectorKeepsItsInterruptUntilItIsOpen) {
    msix.set_control(enable);
    program(2, 0x42);
    msix.trigger(2);
    msix.trigger(2);
    EXPECT_TRUE(controller.sent.empty());
    EXPECT_EQ(read(Msix::pending_offset), 1u << 2);
    mask(2, 0);
    EXPECT_EQ(controller.sent.size(), 1u);  // one, however often it was raised
    EXPECT_EQ(read(Msix::pending_offset), 0u);
    mask(2, 1);
    mask(2, 0);
    EXPECT_EQ(controller.sent.size(), 1u);
}

TEST_F(MsixTest, TheFunctionsMaskHoldsAllBack) {
    msix.set_control(enable | mask_all);
    for (unsigned vector = 0; vector < 3; ++vector) {
        program(vector, vector);
        mask(vector, 0);
        msix.trigger(vector);
    }
    EXPECT_TRUE(controller.sent.empty());
    EXPECT_EQ(read(Msix::pending_offset), 7u);
    msix.set_control(enable);
    EXPECT_EQ(controller.sent.size(), 3u);
    EXPECT_EQ(read(Msix::pending_offset), 0u);
}

TEST_F(MsixTest, AMessageChangedWhileMaskedIsTheOneThatIsSent) {
    msix.set_control(enable);
    program(0, 1);
    mask(0, 0);
    mask(0, 1);
    msix.trigger(0);
    program(0, 2);
    mask(0, 0);
    ASSERT_EQ(controller.sent.size(), 1u);
    EXPECT_EQ(controller.sent[0].data, 2u);
}

TEST_F(MsixTest, VectorsThatDoNotExistAreSilent) {
    msix.set_control(enable);
    msix.trigger(3);
    msix.trigger(0xffff);
    write(3 * 16 + 12, 0);
    EXPECT_EQ(read(3 * 16 + 12), 0u);
    EXPECT_TRUE(controller.sent.empty());
    EXPECT_EQ(Msix(controller, 5000).vectors(), Msix::vector_limit);
}

TEST_F(MsixTest, TheTableReadsBackAndOddAccessesDoNothing) {
    write(0, 0xfee01003);
    EXPECT_EQ(read(0), 0xfee01000u);  // the lowest two bits are not the guest's
    const std::uint64_t both = 0x0000000112345678;
    msix.write(16, bytes_of(both));
    EXPECT_EQ(read(16), 0x12345678u);
    EXPECT_EQ(read(20), 1u);
    msix.write(8, bytes_of(std::uint16_t{0xffff}));
    EXPECT_EQ(read(8), 0u);
    std::uint16_t half = 0xffff;
    msix.read(16, std::as_writable_bytes(std::span{&half, 1}));
    EXPECT_EQ(half, 0u);
    EXPECT_EQ(read(Msix::bar_size - 4), 0u);
}

TEST_F(MsixTest, AHostWithoutRoutesLeavesTheVectorSilent) {
    controller.limit = 0;
    msix.set_control(enable);
    program(0, 1);
    mask(0, 0);
    msix.trigger(0);
    EXPECT_TRUE(controller.sent.empty());
}

TEST(Msix, RoutesAreGivenBack) {
    test::FakeMsi controller;
    {
        Msix msix{controller, 1};
        msix.set_control(enable);
        msix.write(12, bytes_of(std::uint32_t{0}));
        EXPECT_EQ(controller.routes.size(), 1u);
    }
    EXPECT_TRUE(controller.routes.empty());
}

}  // namespace
}  // namespace sheaf::pci

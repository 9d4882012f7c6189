#include "devices/pci/root.h"

#include <gtest/gtest.h>

#include "vmm/layout.h"

namespace sheaf::pci {
namespace {

namespace layout = vmm::layout;

struct RootTest : testing::Test {
    RootTest() { EXPECT_TRUE(root.attach(ports, memory)); }

    template <WireStruct T>
    T by_port(std::uint32_t address, unsigned byte = 0) {
        EXPECT_TRUE(ports.write(layout::port_pci_address, bytes_of(address)));
        T value{};
        EXPECT_TRUE(
            ports.read(layout::port_pci_data + byte, std::as_writable_bytes(std::span{&value, 1})));
        return value;
    }
    template <WireStruct T>
    T by_window(std::uint64_t offset) {
        T value{};
        EXPECT_TRUE(memory.read(layout::ecam.value() + offset,
                                std::as_writable_bytes(std::span{&value, 1})));
        return value;
    }
    void add(std::uint16_t device) {
        ASSERT_TRUE(root.add(
            std::make_unique<Function>(Identity{.vendor = 0x1234, .device = device}, memory)));
    }

    static constexpr std::uint32_t enabled = 1u << 31;
    static constexpr std::uint32_t slot(unsigned number) { return enabled | number << 11; }

    vmm::Bus ports;
    vmm::Bus memory;
    Root root{memory};
};

TEST_F(RootTest, TheBridgeIsInSlotZero) {
    EXPECT_EQ(by_port<std::uint32_t>(slot(0)), 0x0d578086u);
    EXPECT_EQ(by_window<std::uint32_t>(0), 0x0d578086u);
    EXPECT_EQ(by_window<std::uint32_t>(8) >> 8, 0x060000u);
}

TEST_F(RootTest, FunctionsAppearByBothWaysInTheirSlots) {
    add(1);
    add(2);
    EXPECT_EQ(by_port<std::uint32_t>(slot(1)), 0x00011234u);
    EXPECT_EQ(by_port<std::uint32_t>(slot(2)), 0x00021234u);
    EXPECT_EQ(by_window<std::uint32_t>(2 << 15), 0x00021234u);
    EXPECT_EQ(by_port<std::uint16_t>(slot(2), 2), 2u);
    EXPECT_EQ(by_port<std::uint8_t>(slot(2), 1), 0x12u);
}

TEST_F(RootTest, WhereNobodyIsAllBitsAreOne) {
    EXPECT_EQ(by_port<std::uint32_t>(slot(3)), ~0u);
    EXPECT_EQ(by_port<std::uint32_t>(slot(0) | 1 << 8), ~0u);   // another function
    EXPECT_EQ(by_port<std::uint32_t>(slot(0) | 1 << 16), ~0u);  // another bus
    EXPECT_EQ(by_port<std::uint32_t>(slot(0) & ~enabled), ~0u);
    EXPECT_EQ(by_window<std::uint32_t>(3 << 15), ~0u);
    EXPECT_EQ(by_window<std::uint32_t>(1 << 12), ~0u);
    EXPECT_EQ(by_window<std::uint32_t>(256), ~0u);  // extended configuration space
    EXPECT_EQ(by_window<std::uint64_t>(252), ~std::uint64_t{0});
}

TEST_F(RootTest, OnlyAWholeWordReachesTheAddressRegister) {
    add(1);
    EXPECT_EQ(by_port<std::uint32_t>(slot(1)), 0x00011234u);
    ports.write(layout::port_pci_address, bytes_of(std::uint8_t{0}));
    ports.write(layout::port_pci_address + 2, bytes_of(std::uint16_t{0}));
    std::uint32_t address{};
    ports.read(layout::port_pci_address, std::as_writable_bytes(std::span{&address, 1}));
    EXPECT_EQ(address, slot(1));
}

TEST_F(RootTest, WritesGoWhereReadsDo) {
    add(1);
    const auto line = config::interrupt_line;
    by_port<std::uint32_t>(slot(1) | line);
    ports.write(layout::port_pci_data, bytes_of(std::uint8_t{0x5a}));
    EXPECT_EQ(by_window<std::uint8_t>((1 << 15) + line), 0x5a);
    memory.write(layout::ecam.value() + (1 << 15) + line, bytes_of(std::uint8_t{0xa5}));
    EXPECT_EQ(by_port<std::uint8_t>(slot(1) | line), 0xa5);
    EXPECT_EQ(by_window<std::uint8_t>(line), 0u);  // the bridge's is its own
}

TEST_F(RootTest, ThereAreThirtyTwoSlots) {
    for (unsigned number = 1; number < Root::slots; ++number)
        add(static_cast<std::uint16_t>(number));
    EXPECT_EQ(by_port<std::uint32_t>(slot(31)), 0x001f1234u);
    const auto outcome = root.add(std::make_unique<Function>(Identity{}, memory));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::exhausted);
}

}  // namespace
}  // namespace sheaf::pci

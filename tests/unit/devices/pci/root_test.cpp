#include "devices/pci/root.h"

#include <gtest/gtest.h>

#include "vmm/layout.h"

namespace sheaf::pci {
namespace {

namespace layout = vmm::layout;

constexpr std::uint32_t enabled = 1u << 31;

class RootTest : public testing::Test {
  protected:
    RootTest() {
        EXPECT_TRUE(root.attach(ports, memory));
        EXPECT_TRUE(root.add(std::make_unique<Function>(
            Identity{.vendor = 0x1234, .device = 0x5678, .class_code = 0xff0000}, memory)));
    }
    template <class T>
    static T get(const vmm::Bus& bus, std::uint64_t address) {
        T value{};
        bus.read(address, std::as_writable_bytes(std::span{&value, 1}));
        return value;
    }
    template <class T>
    static void set(const vmm::Bus& bus, std::uint64_t address, T value) {
        bus.write(address, bytes_of(value));
    }
    static std::uint64_t ecam(unsigned slot, unsigned offset, unsigned function = 0) {
        return layout::ecam.value() + (slot << 15 | function << 12 | offset);
    }
    void select(unsigned slot, unsigned offset, unsigned function = 0, unsigned bus = 0) {
        set(ports, layout::port_pci_address,
            enabled | bus << 16 | slot << 11 | function << 8 | offset);
    }

    vmm::Bus ports;
    vmm::Bus memory;
    Root root{memory};
};

TEST_F(RootTest, BothWaysLeadToTheSameFunction) {
    EXPECT_EQ(get<std::uint32_t>(memory, ecam(0, 0)), 0x0d578086u);
    EXPECT_EQ(get<std::uint32_t>(memory, ecam(1, 0)), 0x56781234u);
    select(1, 0);
    EXPECT_EQ(get<std::uint32_t>(ports, layout::port_pci_data), 0x56781234u);
    select(1, config::interrupt_line);
    set(ports, layout::port_pci_data, std::uint8_t{0x5a});
    EXPECT_EQ(get<std::uint8_t>(memory, ecam(1, config::interrupt_line)), 0x5a);
    set(memory, ecam(1, config::interrupt_line), std::uint8_t{0xa5});
    EXPECT_EQ(get<std::uint8_t>(ports, layout::port_pci_data), 0xa5);
    EXPECT_EQ(get<std::uint8_t>(memory, ecam(0, config::interrupt_line)), 0);
}

TEST_F(RootTest, TheDataPortHasAllWidthsAtAllBytes) {
    select(1, 0);
    for (unsigned byte = 0; byte < 4; ++byte)
        EXPECT_EQ(get<std::uint8_t>(ports, layout::port_pci_data + byte),
                  (0x56781234u >> 8 * byte & 0xff));
    EXPECT_EQ(get<std::uint16_t>(ports, layout::port_pci_data + 2), 0x5678);
    EXPECT_EQ(get<std::uint16_t>(ports, layout::port_pci_data + 1), 0x7812);
    select(1, 0xfc);
    EXPECT_EQ(get<std::uint16_t>(ports, layout::port_pci_data + 3), 0xffff)
        << "beyond the ports is nobody";
}

TEST_F(RootTest, OnlyAWholeDoubleWordReachesTheAddress) {
    select(1, 0x40);
    const auto address = get<std::uint32_t>(ports, layout::port_pci_address);
    EXPECT_EQ(address, enabled | 1 << 11 | 0x40);
    set(ports, layout::port_pci_address, std::uint8_t{0});
    set(ports, layout::port_pci_address, std::uint16_t{0});
    set(ports, layout::port_pci_address + 1, std::uint16_t{0});
    set(ports, layout::port_pci_address + 2, std::uint32_t{0});
    set(ports, layout::port_pci_address, std::uint64_t{0});
    EXPECT_EQ(get<std::uint32_t>(ports, layout::port_pci_address), address);
    EXPECT_EQ(get<std::uint8_t>(ports, layout::port_pci_address + 3), 0x80);
}

TEST_F(RootTest, WithoutTheEnableBitThereIsNoData) {
    select(1, config::interrupt_line);
    set(ports, layout::port_pci_address, 1u << 11 | config::interrupt_line);
    EXPECT_EQ(get<std::uint32_t>(ports, layout::port_pci_data), 0xffffffffu);
    set(ports, layout::port_pci_data, std::uint8_t{0x77});
    EXPECT_EQ(get<std::uint8_t>(memory, ecam(1, config::interrupt_line)), 0);
}

TEST_F(RootTest, WhatIsNotThereReadsAllOnesAndTakesWritesSilently) {
    EXPECT_EQ(get<std::uint32_t>(memory, ecam(2, 0)), 0xffffffffu);
    EXPECT_EQ(get<std::uint32_t>(memory, ecam(31, 0)), 0xffffffffu);
    EXPECT_EQ(get<std::uint32_t>(memory, ecam(1, 0, 1)), 0xffffffffu) << "one function a slot";
    EXPECT_EQ(get<std::uint32_t>(memory, ecam(1, 0x100)), 0xffffffffu) << "no extended space";
    EXPECT_EQ(get<std::uint64_t>(memory, layout::ecam.value() + layout::ecam_size - 8), ~0ull);
    set(memory, ecam(2, config::command), std::uint16_t{0xffff});
    for (const auto& [slot, function, bus] : {std::array{2u, 0u, 0u}, {1u, 1u, 0u}, {1u, 0u, 1u}}) {
        select(slot, 0, function, bus);
        EXPECT_EQ(get<std::uint32_t>(ports, layout::port_pci_data), 0xffffffffu);
        set(ports, layout::port_pci_data, std::uint32_t{0});
    }
    EXPECT_EQ(get<std::uint32_t>(memory, ecam(1, 0)), 0x56781234u);
}

TEST_F(RootTest, AnAccessThatLeavesTheSpaceReadsAllOnes) {
    EXPECT_EQ(get<std::uint32_t>(memory, ecam(1, 0xfc)), 0u);
    EXPECT_EQ(get<std::uint32_t>(memory, ecam(1, 0xfd)), 0xffffffffu);
    EXPECT_EQ(get<std::uint64_t>(memory, ecam(1, 0xfc)), ~0ull);
    EXPECT_EQ(get<std::uint16_t>(memory, ecam(1, 1)), 0x7812) << "unaligned, and all of it inside";
    EXPECT_EQ(get<std::uint64_t>(memory, ecam(1, 0)), 0x56781234u);
}

TEST_F(RootTest, SlotsEndAtThirtyTwo) {
    const auto make = [&] {
        return std::make_unique<Function>(Identity{.vendor = 7, .device = 7}, memory);
    };
    for (unsigned slot = 2; slot < Root::slots; ++slot) EXPECT_TRUE(root.add(make()));
    const auto full = root.add(make());
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().kind(), Kind::exhausted);
    EXPECT_EQ(get<std::uint32_t>(memory, ecam(31, 0)), 0x00070007u);
}

// A BAR of 16 KiB that answers nothing.
class OneBar final : public Function, vmm::BusHandler {
  public:
    explicit OneBar(vmm::Bus& bus) : Function({.vendor = 8, .device = 8}, bus) {
        add_bar(0x4000, *this);
    }
    std::string_view name() const override { return "one_bar"; }
    void read(std::uint64_t, std::span<std::byte> data) override { store_register(data, 0); }
    void write(std::uint64_t, std::span<const std::byte>) override {}
};

TEST_F(RootTest, BarsOfAllFunctionsFollowEachOther) {
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(root.add(std::make_unique<OneBar>(memory)));
    ASSERT_TRUE(root.assign_bars());
    const auto first = static_cast<std::uint32_t>(layout::mmio_window.value());
    for (unsigned i = 0; i < 3; ++i) {
        EXPECT_EQ(get<std::uint32_t>(memory, ecam(2 + i, config::bars)), first + 0x4000 * i);
        EXPECT_EQ(get<std::uint16_t>(memory, ecam(2 + i, config::command)),
                  command_memory | command_bus_master);
    }
}

}  // namespace
}  // namespace sheaf::pci

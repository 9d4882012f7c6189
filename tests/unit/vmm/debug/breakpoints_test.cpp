#include "vmm/debug/breakpoints.h"

#include <gtest/gtest.h>

namespace sheaf::vmm::debug {
namespace {

using On = HardwareBreakpoint::On;
using Because = Cause::Kind;

kvm_debug_exit_arch trap(std::uint32_t exception, std::uint64_t dr6 = 0) {
    auto trap = kvm_debug_exit_arch{};
    trap.exception = exception;
    trap.dr6 = dr6;
    return trap;
}

class BreakpointsTest : public testing::Test {
  protected:
    std::uint8_t byte(std::uint64_t at) const { return *memory.read<std::uint8_t>(Gpa{at}); }
    void put(std::uint64_t at, std::uint8_t value) { ASSERT_TRUE(memory.write(Gpa{at}, value)); }
    std::uint8_t seen(std::uint64_t at) const {
        auto bytes = std::array{static_cast<std::byte>(byte(at))};
        breakpoints.hide(Gpa{at}, bytes);
        return std::to_integer<std::uint8_t>(bytes[0]);
    }

    GuestMemory memory = *GuestMemory::create(64_KiB, GuestMemory::Backing::anonymous);
    Breakpoints breakpoints;
};

TEST_F(BreakpointsTest, ASoftwareBreakpointIsThereForTheGuestAlone) {
    put(0x1000, 0x55);
    ASSERT_TRUE(breakpoints.insert(memory, 0xffffffff81001000, Gpa{0x1000}));
    ASSERT_TRUE(breakpoints.insert(memory, 0xffffffff81001000, Gpa{0x1000})) << "twice is once";
    EXPECT_EQ(byte(0x1000), 0xcc);
    EXPECT_EQ(seen(0x1000), 0x55);
    EXPECT_EQ(breakpoints.control(Stepping::off).control,
              KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP);
    breakpoints.remove(memory, 0xffffffff81001000);
    EXPECT_EQ(byte(0x1000), 0x55);
    EXPECT_TRUE(breakpoints.empty());
    EXPECT_EQ(breakpoints.control(Stepping::off).control, 0u);
}

TEST_F(BreakpointsTest, OneByteByTwoAddressesComesBackWithTheLast) {
    put(0x1000, 0x55);
    ASSERT_TRUE(breakpoints.insert(memory, 0x1000, Gpa{0x1000}));
    ASSERT_TRUE(breakpoints.insert(memory, 0x9000, Gpa{0x1000}));
    breakpoints.remove(memory, 0x1000);
    EXPECT_EQ(byte(0x1000), 0xcc);
    EXPECT_EQ(seen(0x1000), 0x55);
    breakpoints.remove(memory, 0x9000);
    EXPECT_EQ(byte(0x1000), 0x55);
}

TEST_F(BreakpointsTest, AnAddressThatMovedLeavesNothingWhereItWas) {
    put(0x1000, 0x55);
    put(0x2000, 0x66);
    ASSERT_TRUE(breakpoints.insert(memory, 0x400000, Gpa{0x1000}));
    ASSERT_TRUE(breakpoints.insert(memory, 0x400000, Gpa{0x2000}));
    EXPECT_EQ(byte(0x1000), 0x55);
    EXPECT_EQ(byte(0x2000), 0xcc);
    breakpoints.clear(memory);
    EXPECT_EQ(byte(0x2000), 0x66);
}

TEST_F(BreakpointsTest, WhatTheGuestPutThereMeanwhileStays) {
    put(0x1000, 0x55);
    ASSERT_TRUE(breakpoints.insert(memory, 0x1000, Gpa{0x1000}));
    put(0x1000, 0x99);
    EXPECT_EQ(seen(0x1000), 0x99);
    breakpoints.remove(memory, 0x1000);
    EXPECT_EQ(byte(0x1000), 0x99);
}

TEST_F(BreakpointsTest, WritesGoUnderABreakpoint) {
    put(0x1001, 0x55);
    ASSERT_TRUE(breakpoints.insert(memory, 0x1001, Gpa{0x1001}));
    const auto bytes = std::array{std::byte{1}, std::byte{2}, std::byte{3}};
    ASSERT_TRUE(breakpoints.write(memory, Gpa{0x1000}, bytes));
    EXPECT_EQ(byte(0x1000), 1);
    EXPECT_EQ(byte(0x1001), 0xcc);
    EXPECT_EQ(seen(0x1001), 2);
    EXPECT_EQ(byte(0x1002), 3);
    breakpoints.clear(memory);
    EXPECT_EQ(byte(0x1001), 2);
}

TEST_F(BreakpointsTest, ThereIsALimitAndAMap) {
    for (std::size_t at = 0; at < Breakpoints::most_software; ++at)
        ASSERT_TRUE(breakpoints.insert(memory, at, Gpa{at}));
    const auto one_more = breakpoints.insert(memory, 0x8000, Gpa{0x8000});
    ASSERT_FALSE(one_more);
    EXPECT_EQ(one_more.error().kind(), Kind::exhausted);
    breakpoints.clear(memory);
    EXPECT_FALSE(breakpoints.insert(memory, 0x8000, Gpa{1_GiB}));
    EXPECT_TRUE(breakpoints.empty());
}

TEST_F(BreakpointsTest, FourDebugRegisters) {
    const auto all = std::array<HardwareBreakpoint, 4>{{{On::execute, 0x1000, 1},
                                                        {On::write, 0x2000, 8},
                                                        {On::access, 0x3000, 4},
                                                        {On::write, 0x4002, 2}}};
    for (const auto& one : all) ASSERT_TRUE(breakpoints.insert(one));
    ASSERT_TRUE(breakpoints.insert(all[1])) << "twice is once";
    EXPECT_EQ(breakpoints.insert({On::write, 0x5000, 1}).error().kind(), Kind::exhausted);
    const auto control = breakpoints.control(Stepping::on);
    EXPECT_EQ(control.control,
              KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP | KVM_GUESTDBG_SINGLESTEP);
    EXPECT_EQ(control.arch.debugreg[2], 0x3000u);
    // Enabled globally 0xaa; execute 0, write 8 bytes 1001, access 4 bytes 1111, write 2 0101.
    EXPECT_EQ(control.arch.debugreg[7], 0x5f900600u | 0xaau);
    EXPECT_TRUE(breakpoints.watches(0x2000));
    EXPECT_FALSE(breakpoints.watches(0x1000)) << "that is no access";
    breakpoints.remove(all[1]);
    EXPECT_FALSE(breakpoints.watches(0x2000));
    EXPECT_TRUE(breakpoints.insert({On::write, 0x5000, 1}));
}

TEST_F(BreakpointsTest, WhatAProcessorCannotWatchIsRefused) {
    EXPECT_FALSE(breakpoints.insert({On::write, 0x1001, 2}));
    EXPECT_FALSE(breakpoints.insert({On::write, 0x1000, 3}));
    EXPECT_FALSE(breakpoints.insert({On::write, 0x1000, 0}));
    EXPECT_FALSE(breakpoints.insert({On::execute, 0x1000, 4}));
}

TEST_F(BreakpointsTest, EachTrapIsTheDebuggersOrTheGuests) {
    ASSERT_TRUE(breakpoints.insert(memory, 0xffff0000, Gpa{0x1000}));
    ASSERT_TRUE(breakpoints.insert(HardwareBreakpoint{On::execute, 0x1000, 1}));
    ASSERT_TRUE(breakpoints.insert(HardwareBreakpoint{On::access, 0x2000, 4}));
    const auto because = [&](const kvm_debug_exit_arch& of, std::optional<Gpa> place,
                             Stepping stepping = Stepping::off) {
        return breakpoints.cause_of(of, place, stepping).kind;
    };
    EXPECT_EQ(because(trap(3), Gpa{0x1000}), Because::software);
    EXPECT_EQ(because(trap(3), Gpa{0x1001}), Because::guest) << "its own int3";
    EXPECT_EQ(because(trap(3), std::nullopt), Because::guest);
    EXPECT_EQ(because(trap(1, 0xffff0ff1), Gpa{0x1000}), Because::hardware);
    EXPECT_EQ(because(trap(1, 0xffff0ff2), Gpa{0x1000}), Because::access);
    EXPECT_EQ(breakpoints.cause_of(trap(1, 2), std::nullopt, Stepping::off).address, 0x2000u);
    EXPECT_EQ(because(trap(1, 0xffff0ff4), Gpa{0x1000}), Because::guest) << "not one of ours";
    EXPECT_EQ(because(trap(1, 0x4000), Gpa{0}), Because::guest) << "it steps itself";
    EXPECT_EQ(because(trap(1, 0x4000), Gpa{0}, Stepping::on), Because::step);
    EXPECT_EQ(because(trap(1, 0x4002), Gpa{0}, Stepping::on), Because::access);
}

}  // namespace
}  // namespace sheaf::vmm::debug

#include "vmm/debug/debuggee.h"

#include <gtest/gtest.h>

namespace sheaf::vmm::debug {
namespace {

// Linear address 0x400000 and the page after it are mapped the wrong way round; then nothing.
class DebuggeeTest : public testing::Test {
  protected:
    DebuggeeTest() {
        auto& system = debuggee.registers[0].system;
        system.cr0 = 1u << 31;
        system.efer = 1u << 10;
        system.cr3 = 0x1000;
        put(0x1000, 0x2001);
        put(0x2000, 0x3001);
        put(0x3000 + 2 * 8, 0x4001);
        put(0x4000, 0x9001);
        put(0x4008, 0x8001);
        put(0x4010, 0x40000001);  // mapped, and no memory there
    }
    void put(std::uint64_t at, std::uint64_t value) { EXPECT_TRUE(memory.write(Gpa{at}, value)); }

    GuestMemory memory = *GuestMemory::create(64_KiB, GuestMemory::Backing::anonymous);
    Debuggee debuggee{memory, 2};
};

TEST_F(DebuggeeTest, MemoryIsReadPageByPage) {
    put(0x9ff8, 0x1111111111111111);
    put(0x8000, 0x2222222222222222);
    auto bytes = std::array<std::byte, 16>{};
    EXPECT_EQ(debuggee.read(0, 0x400ff8, bytes), 16u);
    EXPECT_EQ(bytes[7], std::byte{0x11});
    EXPECT_EQ(bytes[8], std::byte{0x22});
}

TEST_F(DebuggeeTest, AReadEndsWhereMemoryDoes) {
    auto bytes = std::array<std::byte, 16>{};
    EXPECT_EQ(debuggee.read(0, 0x401ffc, bytes), 4u);
    EXPECT_EQ(debuggee.read(0, 0x402000, bytes), 0u);
    EXPECT_EQ(debuggee.read(0, 0xffffffffffffffff, bytes), 0u);
    EXPECT_EQ(debuggee.read(1, 0x9000, bytes), 16u) << "the other processor does not page";
}

TEST_F(DebuggeeTest, AWriteIsWholeOrNothing) {
    const auto bytes =
        std::array<std::byte, 8>{std::byte{7}, std::byte{7}, std::byte{7}, std::byte{7},
                                 std::byte{7}, std::byte{7}, std::byte{7}, std::byte{7}};
    EXPECT_FALSE(debuggee.write(0, 0x401ffc, bytes));
    EXPECT_EQ(*memory.read<std::uint64_t>(Gpa{0x8ff8}), 0u);
    EXPECT_TRUE(debuggee.write(0, 0x400ffc, bytes));
    EXPECT_EQ(*memory.read<std::uint32_t>(Gpa{0x9ffc}), 0x07070707u);
    EXPECT_EQ(*memory.read<std::uint32_t>(Gpa{0x8000}), 0x07070707u);
}

TEST_F(DebuggeeTest, BreakpointsAreNotSeen) {
    put(0x9000, 0x90);
    ASSERT_TRUE(debuggee.breakpoints.insert(memory, 0x400000, Gpa{0x9000}));
    auto bytes = std::array<std::byte, 2>{};
    EXPECT_EQ(debuggee.read(0, 0x400000, bytes), 2u);
    EXPECT_EQ(bytes[0], std::byte{0x90});
    EXPECT_EQ(debuggee.read(1, 0x8fff, bytes), 2u) << "by whatever address";
    EXPECT_EQ(bytes[1], std::byte{0x90});
}

}  // namespace
}  // namespace sheaf::vmm::debug

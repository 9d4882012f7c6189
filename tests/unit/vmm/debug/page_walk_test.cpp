#include "vmm/debug/page_walk.h"

#include <gtest/gtest.h>

namespace sheaf::vmm::debug {
namespace {

constexpr std::uint64_t present = 1;
constexpr std::uint64_t large = 0x80;

class PageWalk : public testing::Test {
  protected:
    void put(std::uint64_t table, std::uint64_t index, std::uint64_t entry) {
        ASSERT_TRUE(memory.write(Gpa{table + index * 8}, entry));
    }
    void put_narrow(std::uint64_t table, std::uint64_t index, std::uint32_t entry) {
        ASSERT_TRUE(memory.write(Gpa{table + index * 4}, entry));
    }
    // 0 where nothing is mapped.
    std::uint64_t at(std::uint64_t address) const {
        const auto place = translate(memory, registers, address);
        if (!place) return 0;
        return place->value();
    }

    GuestMemory memory = *GuestMemory::create(1_MiB, GuestMemory::Backing::anonymous);
    kvm_sregs registers{};
};

TEST_F(PageWalk, WithoutPagingAddressesArePhysical) {
    EXPECT_EQ(at(0x12345), 0x12345u);
    EXPECT_EQ(at(0x1'0000'0000), 0u);
}

TEST_F(PageWalk, FourLevelsAndTheirLargePages) {
    registers.cr0 = 1u << 31;
    registers.efer = 1u << 10;
    registers.cr3 = 0x1018;  // flags and a process number are no part of the address
    put(0x1000, 511, 0x2000 | present);
    put(0x1000, 510, 0x8000'0000'0000'2000 | present);  // no execution
    put(0x2000, 510, 0x3000 | present);
    put(0x2000, 511, 0xc0000000 | large | present);
    put(0x3000, 8, 0x4000 | present);
    put(0x3000, 9, 0x600000 | large | present);
    put(0x4000, 7, 0x8000'0000'0000'5000 | present);
    put(0x4000, 6, 0x5000);  // not present
    EXPECT_EQ(at(0xffffffff81007abc), 0x5abcu);
    EXPECT_EQ(at(0xffffffff81234567), 0x634567u);
    EXPECT_EQ(at(0xffffffffc1234567), 0xc1234567u);
    EXPECT_EQ(at(0xffffff7f81007abc), 0x5abcu) << "by entry 510";
    EXPECT_EQ(at(0xffffffff81006abc), 0u);
    EXPECT_EQ(at(0x0000ffff81007abc), 0u) << "not canonical";
    EXPECT_EQ(at(0), 0u);
}

TEST_F(PageWalk, FiveLevels) {
    registers.cr0 = 1u << 31;
    registers.efer = 1u << 10;
    registers.cr4 = 1u << 12;
    registers.cr3 = 0x1000;
    put(0x1000, 511, 0x2000 | present);
    put(0x2000, 511, 0x3000 | present);
    put(0x3000, 510, 0x4000 | present);
    put(0x4000, 8, 0x200000 | large | present);
    EXPECT_EQ(at(0xffffffff81000123), 0x200123u);
    EXPECT_EQ(at(0xfe00000000000000), 0u);
}

TEST_F(PageWalk, ThreeLevels) {
    registers.cr0 = 1u << 31;
    registers.cr4 = 1u << 5;
    registers.cr3 = 0x1020;
    put(0x1020, 3, 0x2000 | present);
    put(0x2000, 1, 0x3000 | present);
    put(0x2000, 2, 0x400000 | large | present);
    put(0x3000, 2, 0x9000 | present);
    EXPECT_EQ(at(0xc0202345), 0x9345u);
    EXPECT_EQ(at(0xc0402345), 0x402345u);
    EXPECT_EQ(at(0x40000000), 0u);
}

TEST_F(PageWalk, TwoLevels) {
    registers.cr0 = 1u << 31;
    registers.cr3 = 0x1000;
    put_narrow(0x1000, 768, 0x2000 | present);
    put_narrow(0x1000, 769, 0x0040'0000 | large | present);
    put_narrow(0x2000, 5, 0x7000 | present);
    EXPECT_EQ(at(0xc0005678), 0x7678u);
    EXPECT_EQ(at(0xc0400010), 0u) << "without page size extension this is a table";
    registers.cr4 = 1u << 4;
    EXPECT_EQ(at(0xc0400010), 0x400010u);
}

TEST_F(PageWalk, TablesOutsideOfMemoryAreNotFollowed) {
    registers.cr0 = 1u << 31;
    registers.efer = 1u << 10;
    registers.cr3 = 0x000fffff'fffff000;
    EXPECT_EQ(at(0x1000), 0u);
    registers.cr3 = 0x1000;
    put(0x1000, 0, 0x000fffff'fffff000 | present);
    EXPECT_EQ(at(0x1000), 0u);
    // A table that is its own entry ends like any other.
    put(0x1000, 0, 0x1000 | present);
    EXPECT_EQ(at(0x123), 0x1123u);
}

}  // namespace
}  // namespace sheaf::vmm::debug

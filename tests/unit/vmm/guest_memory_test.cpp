#include "vmm/guest_memory.h"

#include <sys/mman.h>

#include <gtest/gtest.h>

#include "vmm/layout.h"

namespace sheaf::vmm {
namespace {

GuestMemory make(std::uint64_t size) {
    return *GuestMemory::create(size, GuestMemory::Backing::anonymous);
}

TEST(GuestMemory, RefusesSizesThatAreNotPages) {
    EXPECT_EQ(GuestMemory::create(0, GuestMemory::Backing::memfd).error().kind(), Kind::invalid);
    EXPECT_EQ(GuestMemory::create(4097, GuestMemory::Backing::memfd).error().kind(), Kind::invalid);
}

TEST(GuestMemory, WritesAreReadBack) {
    for (const auto backing : {GuestMemory::Backing::anonymous, GuestMemory::Backing::memfd}) {
        const auto memory = *GuestMemory::create(1_MiB, backing);
        ASSERT_TRUE(memory.write(Gpa{0xffffc}, std::uint32_t{0xdeadbeef}));
        EXPECT_EQ(*memory.read<std::uint32_t>(Gpa{0xffffc}), 0xdeadbeef);
        EXPECT_EQ(*memory.read<std::uint32_t>(Gpa{0}), 0u);
    }
}

TEST(GuestMemory, EndsAreExact) {
    const auto memory = make(1_MiB);
    EXPECT_TRUE(memory.slice(Gpa{0}, 1_MiB));
    EXPECT_TRUE(memory.slice(Gpa{1_MiB}, 0));
    EXPECT_FALSE(memory.slice(Gpa{1}, 1_MiB));
    EXPECT_FALSE(memory.slice(Gpa{1_MiB}, 1));
    EXPECT_FALSE(memory.slice(Gpa{1_MiB + 1}, 0));
}

TEST(GuestMemory, LengthsThatWrapAreRefused) {
    const auto memory = make(1_MiB);
    EXPECT_FALSE(memory.slice(Gpa{4096}, ~std::uint64_t{0}));
    EXPECT_FALSE(memory.slice(Gpa{~std::uint64_t{0}}, 2));
    EXPECT_FALSE(memory.slice(Gpa{~std::uint64_t{0} - 100}, 101));
}

TEST(GuestMemory, ContinuesAboveTheHole) {
    const auto memory = make(3_GiB + 2_MiB);
    ASSERT_EQ(memory.regions().size(), 2u);
    EXPECT_EQ(memory.regions()[1].start, layout::hole_end);
    EXPECT_TRUE(memory.slice(layout::hole_end, 2_MiB));
    EXPECT_FALSE(memory.slice(layout::hole_end, 2_MiB + 1));
    EXPECT_FALSE(memory.slice(layout::hole_start, 1));
    // No access spans the hole.
    EXPECT_FALSE(memory.slice(Gpa{3_GiB - 1}, 2));
}

// How many of these pages the host holds in memory.
std::size_t resident(std::span<std::byte> pages) {
    auto held = std::vector<unsigned char>(pages.size() / 4096);
    EXPECT_EQ(::mincore(pages.data(), pages.size(), held.data()), 0);
    return static_cast<std::size_t>(
        std::ranges::count_if(held, [](unsigned char page) { return (page & 1) != 0; }));
}

class Discard : public testing::TestWithParam<GuestMemory::Backing> {};
INSTANTIATE_TEST_SUITE_P(GuestMemory, Discard,
                         testing::Values(GuestMemory::Backing::anonymous,
                                         GuestMemory::Backing::memfd));

TEST_P(Discard, WholePagesAreGivenBackAndReadAsZeroes) {
    const auto memory = *GuestMemory::create(1_MiB, GetParam());
    const auto bytes = *memory.slice(Gpa{0}, 1_MiB);
    std::ranges::fill(bytes, std::byte{0x5a});
    ASSERT_EQ(resident(bytes), 256u);
    // From the middle of page 1 to the middle of page 5: pages 2, 3 and 4.
    EXPECT_EQ(*memory.discard(bytes.subspan(6144, 4 * 4096)), 3 * 4096u);
    EXPECT_EQ(bytes[2 * 4096 - 1], std::byte{0x5a});
    EXPECT_EQ(bytes[5 * 4096], std::byte{0x5a});
    EXPECT_EQ(resident(bytes.subspan(2 * 4096, 3 * 4096)), 0u);
    for (const auto byte : bytes.subspan(2 * 4096, 3 * 4096)) ASSERT_EQ(byte, std::byte{0});
}

TEST_P(Discard, LessThanAPageStays) {
    const auto memory = *GuestMemory::create(1_MiB, GetParam());
    const auto bytes = *memory.slice(Gpa{0}, 64_KiB);
    std::ranges::fill(bytes, std::byte{0x5a});
    EXPECT_EQ(*memory.discard(bytes.subspan(4096, 4095)), 0u);
    EXPECT_EQ(*memory.discard(bytes.subspan(4097, 4096)), 0u);
    EXPECT_EQ(*memory.discard(bytes.first(0)), 0u);
    EXPECT_EQ(*memory.discard(bytes.subspan(100, 10)), 0u);
    for (const auto byte : bytes) ASSERT_EQ(byte, std::byte{0x5a});
}

TEST_P(Discard, TheRegionAboveTheHoleIsItsOwn) {
    const auto memory = *GuestMemory::create(3_GiB + 2_MiB, GetParam());
    const auto low = *memory.slice(Gpa{0}, 64_KiB);
    const auto high = *memory.slice(layout::hole_end, 64_KiB);
    low[0] = high[0] = std::byte{1};
    EXPECT_EQ(*memory.discard(high), 64_KiB);
    EXPECT_EQ(low[0], std::byte{1});
    EXPECT_EQ(high[0], std::byte{0});
}

TEST_P(Discard, OtherMemoryIsRefused) {
    const auto memory = *GuestMemory::create(64_KiB, GetParam());
    auto other = *GuestMemory::create(64_KiB, GetParam());
    const auto bytes = *other.slice(Gpa{0}, 64_KiB);
    bytes[0] = std::byte{1};
    EXPECT_EQ(memory.discard(bytes).error().kind(), Kind::invalid);
    EXPECT_EQ(bytes[0], std::byte{1});
    const auto own = *memory.slice(Gpa{0}, 64_KiB);
    EXPECT_FALSE(memory.discard({own.data(), 64_KiB + 1}));
    EXPECT_FALSE(memory.discard({own.data() - 4096, 4096}));
}

}  // namespace
}  // namespace sheaf::vmm

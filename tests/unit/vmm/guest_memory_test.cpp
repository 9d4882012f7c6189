#include "vmm/guest_memory.h"

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

}  // namespace
}  // namespace sheaf::vmm

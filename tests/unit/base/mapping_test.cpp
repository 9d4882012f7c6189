#include "base/mapping.h"

#include <sys/mman.h>

#include <array>
#include <cerrno>

#include <gtest/gtest.h>

namespace sheaf {
namespace {

constexpr std::size_t page = 4096;

Result<Mapping> two_pages() {
    return Mapping::create(2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
}

// mincore(2) knows whether anything is mapped there.
bool is_mapped(std::byte* address) {
    std::array<unsigned char, 2> present{};
    return ::mincore(address, 2 * page, present.data()) == 0;
}

TEST(Mapping, IsMemoryUntilItsOwnerGoes) {
    std::byte* address = nullptr;
    {
        const auto mapping = two_pages();
        ASSERT_TRUE(mapping);
        ASSERT_EQ(mapping->bytes().size(), 2 * page);
        address = mapping->bytes().data();
        mapping->bytes()[page] = std::byte{7};
        EXPECT_EQ(mapping->bytes()[page], std::byte{7});
        EXPECT_TRUE(is_mapped(address));
    }
    EXPECT_FALSE(is_mapped(address));
}

TEST(Mapping, MovingKeepsTheMemory) {
    auto first = two_pages();
    ASSERT_TRUE(first);
    auto* address = first->bytes().data();
    const auto second = *std::move(first);
    EXPECT_EQ(second.bytes().data(), address);
    EXPECT_TRUE(first->bytes().empty());
    EXPECT_TRUE(is_mapped(address));
}

TEST(Mapping, SaysWhyThereIsNone) {
    const auto failed = Mapping::create(0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().os_error(), EINVAL);
}

}  // namespace
}  // namespace sheaf

#include "base/units.h"

#include <limits>
#include <type_traits>

#include <gtest/gtest.h>

namespace sheaf {
namespace {

using Sector = Strong<struct SectorTag, std::uint64_t>;
static_assert(!std::is_convertible_v<std::uint64_t, Gpa>);
static_assert(!std::is_constructible_v<Gpa, Sector>);
static_assert(1_KiB == 1024 && 1_MiB == 1024 * 1_KiB && 1_GiB == 1024 * 1_MiB);

TEST(Units, StrongNumbersMoveAndCompare) {
    const auto start = Gpa{4096};
    EXPECT_EQ(start + 8, Gpa{4104});
    EXPECT_EQ((start + 8) - start, 8u);
    EXPECT_LT(start, start + 1);
    EXPECT_EQ(Gpa{}.value(), 0u);
}

TEST(Units, CheckedArithmeticGivesNothingInsteadOfWrapping) {
    constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(checked_add<std::uint64_t>(largest - 1, 1), largest);
    EXPECT_EQ(checked_add<std::uint64_t>(largest, 1), std::nullopt);
    EXPECT_EQ(checked_multiply<std::uint32_t>(65536, 65535), 0xffff0000u);
    EXPECT_EQ(checked_multiply<std::uint32_t>(65536, 65536), std::nullopt);
    EXPECT_EQ(checked_add<std::uint8_t>(200, 56), std::nullopt);
}

TEST(Units, Alignment) {
    EXPECT_EQ(align_up<std::uint64_t>(4097, 4096), 8192u);
    EXPECT_EQ(align_up<std::uint64_t>(4096, 4096), 4096u);
    EXPECT_EQ(align_down<std::uint64_t>(8191, 4096), 4096u);
}

}  // namespace
}  // namespace sheaf

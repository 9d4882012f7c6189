#include <cstdint>
#include <limits>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sheaf {
namespace {

// What src/base/fmt.cpp compiles in: integers, floating point both ways, errors, grouping.
TEST(Fmt, TheCompiledInFunctionsFormat) {
    EXPECT_EQ(fmt::format("{} {:#x} {:>4}", -1, 255u, "ab"), "-1 0xff   ab");
    EXPECT_EQ(fmt::format("{}", std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
    EXPECT_EQ(fmt::format("{} {:.2f} {}", 0.1, 2.0 / 3.0, 1e300), "0.1 0.67 1e+300");
    EXPECT_EQ(fmt::format("{:.30f}", 0.1), "0.100000000000000005551115123126");
    EXPECT_EQ(fmt::format("{:L}", 1234567), "1,234,567");
    EXPECT_EQ(fmt::format("{}", std::string(2000, 'x')).size(), 2000u);
}

}  // namespace
}  // namespace sheaf

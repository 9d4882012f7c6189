#include "devices/legacy/pm_timer.h"

#include <array>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::legacy {
namespace {

using namespace std::chrono_literals;

std::chrono::nanoseconds at{};

std::uint32_t read(PmTimer& timer, std::uint64_t offset = 0, std::size_t length = 4) {
    std::array<std::byte, 4> bytes{};
    timer.read(offset, std::span{bytes}.first(length));
    return load<std::uint32_t>(bytes);
}

TEST(PmTimer, CountsAtItsFrequencyAndWraps) {
    PmTimer timer{[] { return at; }};
    at = 0ns;
    EXPECT_EQ(read(timer), 0u);
    at = 1s;
    EXPECT_EQ(read(timer), 3'579'545u);
    at = 500ms;
    EXPECT_EQ(read(timer), 1'789'772u);
    at = 20min;  // the counter wraps every 19 minutes and 59.9 seconds
    EXPECT_EQ(read(timer), static_cast<std::uint32_t>(std::uint64_t{3'579'545} * 1200));
    at = std::chrono::hours{24 * 365 * 100};
    EXPECT_EQ(read(timer),
              static_cast<std::uint32_t>(std::uint64_t{3'579'545} * 3600 * 24 * 365 * 100));
}

TEST(PmTimer, PartsAreReadWhereTheyLie) {
    PmTimer timer{[] { return at; }};
    at = 1h;
    const auto whole = read(timer);
    EXPECT_EQ(read(timer, 2, 2), whole >> 16);
    EXPECT_EQ(read(timer, 1, 1), whole >> 8 & 0xff);
}

TEST(PmTimer, RunsByItself) {
    PmTimer timer;
    const auto before = read(timer);
    while (read(timer) == before) continue;
}

}  // namespace
}  // namespace sheaf::legacy

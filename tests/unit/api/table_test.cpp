#include "api/table.h"

#include <gtest/gtest.h>

namespace sheaf::api {
namespace {

using namespace std::chrono_literals;

std::string age(std::chrono::seconds passed) {
    const WallClock::TimePoint born{std::chrono::seconds{1'800'000'000}};
    return age_of("2027-01-15T08:00:00Z", born + passed);
}

TEST(Tables, SayAgesAsKubernetesDoes) {
    EXPECT_EQ(age(-5s), "0s");
    EXPECT_EQ(age(119s), "119s");
    EXPECT_EQ(age(2min), "2m");
    EXPECT_EQ(age(192s), "3m12s");
    EXPECT_EQ(age(47min), "47m");
    EXPECT_EQ(age(4h), "4h");
    EXPECT_EQ(age(4h + 5min), "4h5m");
    EXPECT_EQ(age(47h), "47h");
    EXPECT_EQ(age(50h), "2d2h");
    EXPECT_EQ(age(24h * 30), "30d");
    EXPECT_EQ(age(24h * 800), "2y");
    EXPECT_EQ(age_of("yesterday", {}), "<unknown>");
}

}  // namespace
}  // namespace sheaf::api

#include "api/quantity.h"

#include <gtest/gtest.h>

namespace sheaf::api {
namespace {

TEST(Quantity, IsItsNumberRoundedUp) {
    const std::pair<std::string_view, std::uint64_t> cases[] = {
        {"0", 0},
        {"2", 2},
        {"+2", 2},
        {"512Mi", 512ULL << 20},
        {"1.5Gi", 3ULL << 29},
        {"1k", 1000},
        {"100m", 1},
        {"1500m", 2},
        {"1e3", 1000},
        {"1E+3", 1000},
        {"25e-1", 3},
        {"0.0", 0},
        {"000010.50", 11},
        {"7Ei", 7ULL << 60},
        {"1n", 1},
        {"1e-99", 1},
        {"1.000000000000000000000000Gi", 1ULL << 30},
        {".5", 1},
        {"0e99", 0}};
    for (const auto& [text, value] : cases) {
        const auto parsed = parse_quantity(text);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error().text();
        EXPECT_EQ(*parsed, value) << text;
    }
}

TEST(Quantity, OfThousandthsIsAThousandTimesAsMuch) {
    EXPECT_EQ(parse_quantity("2", 1000), 2000U);
    EXPECT_EQ(parse_quantity("100m", 1000), 100U);
    EXPECT_EQ(parse_quantity("1500u", 1000), 2U);
}

TEST(Quantity, WhatIsNoneOrTooLargeIsRefused) {
    for (const auto* text : {"", "x", "-1", "1Zi", "8Ei", "9223372036854775808", "1e19", "1e99",
                             "99999999999999999999", "100E"}) {
        const auto parsed = parse_quantity(text);
        EXPECT_FALSE(parsed) << text;
    }
    EXPECT_EQ(parse_quantity("9223372036854775807"), 9223372036854775807U);
}

TEST(Quantity, MayBeANumberOrATextInAnObject) {
    const auto object = Json::parse(R"({"a":{"b":"1Ki","c":4096}})").value();
    EXPECT_EQ(quantity_at(object, {"a", "b"}).value(), 1024U);
    EXPECT_EQ(quantity_at(object, {"a", "c"}).value(), 4096U);
    EXPECT_EQ(quantity_at(object, {"a", "d"}).value(), std::nullopt);
}

TEST(Quantity, IsWrittenShortAndExact) {
    for (const auto* text : {"0", "1", "4097", "1Ki", "1500Mi", "10Gi", "3Ti", "5Ei"})
        EXPECT_EQ(quantity_text(parse_quantity(text).value()), text);
}

}  // namespace
}  // namespace sheaf::api

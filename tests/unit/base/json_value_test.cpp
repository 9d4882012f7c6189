#include "base/json_value.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace sheaf {
namespace {

std::string refusal(std::string_view text) {
    const auto value = parse_json(text);
    if (value) return "accepted";
    EXPECT_EQ(value.error().kind(), Kind::invalid);
    return value.error().text();
}

template <class T>
T parsed(std::string_view text) {
    const auto value = parse_json(text);
    EXPECT_TRUE(value) << text;
    return std::get<T>(value.value().content());
}

TEST(JsonValue, KeepsEveryKindExactly) {
    EXPECT_TRUE(parse_json("null")->is_null());
    EXPECT_EQ(parsed<bool>(" true\n"), true);
    EXPECT_EQ(parsed<std::int64_t>("-9223372036854775808"), INT64_MIN);
    EXPECT_EQ(parsed<std::uint64_t>("18446744073709551615"), UINT64_MAX);
    EXPECT_EQ(parsed<double>("1.5e3"), 1500.0);
    EXPECT_EQ(parsed<std::string>(R"("\u00e9\n")"), "\xc3\xa9\n");
    EXPECT_EQ(parsed<JsonValue::Array>("[1,[2],{}]").size(), 3u);
}

TEST(JsonValue, KeepsTheOrderOfMembers) {
    const auto object = parsed<JsonValue::Object>(R"({"b":1,"a":2,"":3})");
    ASSERT_EQ(object.size(), 3u);
    EXPECT_EQ(object[0].first, "b");
    EXPECT_EQ(object[1].first, "a");
    EXPECT_EQ(object[2].first, "");
}

TEST(JsonValue, RefusesWhatIsNotOneDocument) {
    for (const std::string_view text :
         {"", " ", "{", "[1,]", "{\"a\":1,}", "1 2", "nul", "'a'", "[1]x", "01", "+1", "NaN",
          "\"\x01\"", "\"\xff\"", "1e999", "18446744073709551616", "-9223372036854775809"})
        EXPECT_TRUE(refusal(text).starts_with("not JSON: ")) << testing::PrintToString(text);
}

TEST(JsonValue, RefusesNamesGivenTwice) {
    EXPECT_EQ(refusal(R"({"a":1,"b":2,"a":1})"), "/a: given twice");
    EXPECT_EQ(refusal(R"({"disks":[{},{"x/y":1,"x\/y":2}]})"), "/disks/1/x~1y: given twice");
}

TEST(JsonValue, RefusesDeepDocuments) {
    const auto nested = [](std::size_t levels) {
        return std::string(levels, '[') + std::string(levels, ']');
    };
    EXPECT_TRUE(parse_json(nested(json_depth_limit)));
    EXPECT_TRUE(refusal(nested(json_depth_limit + 1)).ends_with("nested deeper than 64 levels"));
    EXPECT_NE(refusal(nested(100'000)), "accepted");
}

}  // namespace
}  // namespace sheaf

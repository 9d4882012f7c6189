#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "base/json_encode.h"
#include "base/json_value.h"

namespace sheaf::json {
namespace {

std::string encoded(const auto& value) {
    auto out = std::string{};
    encode_value(value, out);
    return out;
}

TEST(JsonText, EscapesWhatJsonAndTerminalsMustNotSee) {
    EXPECT_EQ(encoded(std::string_view{"a\"\\/\b\f\n\r\t"}), R"("a\"\\/\u0008\u000c\n\r\t")");
    EXPECT_EQ(encoded(std::string_view{"\0\x1f\x7f", 3}), R"("\u0000\u001f\u007f")");
    EXPECT_EQ(encoded(std::string_view{"\xc3\xa9\xf0\x9f\x98\x80"}),
              "\"\xc3\xa9\xf0\x9f\x98\x80\"");
}

TEST(JsonText, ReplacesBytesThatAreNotUtf8) {
    EXPECT_EQ(encoded(std::string_view{"a\xff"
                                       "b\xed\xa0\x80"}),
              "\"a\xef\xbf\xbd"
              "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

// Whatever bytes a string holds, what is written is JSON.
TEST(JsonText, EveryByteGivesValidJson) {
    for (int first = 0; first < 256; ++first) {
        for (const int second : {0x00, 0x22, 0x5c, 0x7f, 0x80, 0xbf, 0xc3, 0xff}) {
            const char bytes[] = {static_cast<char>(first), static_cast<char>(second)};
            EXPECT_TRUE(parse_json(encoded(std::string_view{bytes, 2}))) << first << " " << second;
        }
    }
}

TEST(JsonText, NumbersAreExact) {
    EXPECT_EQ(encoded(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
    EXPECT_EQ(encoded(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
    EXPECT_EQ(encoded(std::uint8_t{65}), "65");
    EXPECT_EQ(encoded(std::int8_t{-5}), "-5");
    EXPECT_EQ(encoded(true), "true");
    for (const double number : {0.1, 1e21, -2.5e-300, 1.0 / 3.0, 1125899906842624.25}) {
        const auto value = parse_json(encoded(number));
        ASSERT_TRUE(value);
        ASSERT_TRUE(std::holds_alternative<double>(value->content())) << encoded(number);
        EXPECT_EQ(std::get<double>(value->content()), number);
    }
    EXPECT_EQ(encoded(std::numeric_limits<double>::infinity()), "null");
    EXPECT_EQ(encoded(std::numeric_limits<double>::quiet_NaN()), "null");
}

}  // namespace
}  // namespace sheaf::json

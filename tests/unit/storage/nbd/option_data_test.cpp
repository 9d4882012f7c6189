// What a client sends with an option, well-formed or not.

#include "storage/nbd/option_data.h"

#include <gtest/gtest.h>

#include "support/nbd_client.h"

namespace sheaf::nbd {
namespace {

using test::NbdClient;

std::span<const std::byte> most_of(const std::vector<std::byte>& data, std::size_t length) {
    return std::span{data}.first(length);
}

TEST(OptionData, AnInfoRequestSaysWhatItWants) {
    const auto data = NbdClient::info_data("vol@snap", {3, 1, 77});
    const auto parsed = parse_info(data);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->name, "vol@snap");
    EXPECT_TRUE(parsed->wants_name);
    EXPECT_FALSE(parsed->wants_description);
}

TEST(OptionData, EveryCutAndEveryRestIsRefused) {
    const auto info = NbdClient::info_data("disk", {1, 2});
    for (std::size_t length = 0; length < info.size(); ++length) {
        const auto parsed = parse_info(most_of(info, length));
        ASSERT_FALSE(parsed);
        EXPECT_EQ(parsed.error().kind(), Kind::invalid);
    }
    const auto contexts = NbdClient::context_data("disk", {"base:", "sheaf:dirty:a"});
    for (std::size_t length = 0; length < contexts.size(); ++length)
        EXPECT_FALSE(parse_contexts(most_of(contexts, length)));
    auto longer = contexts;
    longer.push_back(std::byte{0});
    EXPECT_TRUE(parse_contexts(contexts));
    EXPECT_FALSE(parse_contexts(longer));
}

TEST(OptionData, ALengthBeyondTheDataTakesNothing) {
    WireBuffer data;
    data.put(BigEndian<std::uint32_t>{0xffffffff});
    data.put(BigEndian<std::uint16_t>{0});
    EXPECT_FALSE(parse_info(data.bytes()));
    EXPECT_FALSE(parse_contexts(data.bytes()));
}

TEST(OptionData, TooManyQueriesAreNotLookedAt) {
    const auto many = NbdClient::context_data("", std::vector<std::string>(65, "base:"));
    const auto parsed = parse_contexts(many);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().kind(), Kind::exhausted);
    EXPECT_TRUE(parse_contexts(
        NbdClient::context_data("", std::vector<std::string>(most_queries, "base:"))));
}

TEST(OptionData, ANameIsTextOfBoundedLength) {
    EXPECT_TRUE(parse_name(as_bytes(std::string(4096, 'a'))));
    EXPECT_FALSE(parse_name(as_bytes(std::string(4097, 'a'))));
    EXPECT_FALSE(parse_name(as_bytes(std::string_view{"a\0b", 3})));
    EXPECT_FALSE(parse_name(as_bytes("\xff")));
    EXPECT_EQ(parse_name({}).value(), "");
}

}  // namespace
}  // namespace sheaf::nbd

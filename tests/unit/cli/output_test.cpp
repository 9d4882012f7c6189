#include "cli/output.h"

#include <gtest/gtest.h>

namespace sheaf::cli {
namespace {

TEST(Yaml, SaysWhatTheJsonSays) {
    const auto tree = parse_json(R"({"name":"a: b","size":10,"ok":true,"none":null,"empty":[],)"
                                 R"("list":[1,{"x":[2,3]}],"in":{"y":"\n"}})");
    EXPECT_EQ(to_yaml(*tree),
              "\"name\": \"a: b\"\n"
              "\"size\": 10\n"
              "\"ok\": true\n"
              "\"none\": null\n"
              "\"empty\": []\n"
              "\"list\":\n"
              "  - 1\n"
              "  -\n"
              "    \"x\":\n"
              "      - 2\n"
              "      - 3\n"
              "\"in\":\n"
              "  \"y\": \"\\n\"\n");
    EXPECT_EQ(to_yaml(*parse_json("7")), "7\n");
    EXPECT_EQ(to_yaml(*parse_json("{}")), "{}\n");
}

TEST(Tables, AreAsWideAsTheirWords) {
    EXPECT_EQ(table({{"NAME", "SIZE"}, {"a", "1 GiB"}, {"longer", ""}}),
              "NAME     SIZE\n"
              "a        1 GiB\n"
              "longer\n");
    EXPECT_EQ(table({}), "");
}

// Where an image came from is what somebody once typed.
TEST(Tables, ShowNoControlCharacters) {
    EXPECT_EQ(table({{"a\x1b[31m", "b"}}), "a?[31m   b\n");
}

TEST(Sizes, AreForPeople) {
    EXPECT_EQ(human_size(0), "0 bytes");
    EXPECT_EQ(human_size(1023), "1023 bytes");
    EXPECT_EQ(human_size(1536), "1.5 KiB");
    EXPECT_EQ(human_size(std::uint64_t{10} << 30), "10 GiB");
    EXPECT_EQ(human_size(std::uint64_t{16} << 40), "16 TiB");
    EXPECT_EQ(human_size(~std::uint64_t{0}), "16777216 TiB");
}

}  // namespace
}  // namespace sheaf::cli

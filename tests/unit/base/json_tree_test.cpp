#include "base/json_tree.h"

#include <gtest/gtest.h>

namespace sheaf {
namespace {

TEST(JsonTrees, WhatIsReadIsWrittenTheSame) {
    for (const auto* text :
         {"null", "true", "9223372036854775807", "18446744073709551615", "-1", "1.5", "2.0",
          R"("a\"\\\n")", "[]", "{}", R"({"b":[1,{"a":null}],"a":{}})"})
        EXPECT_EQ(Json::parse(text).value().text(), text);
    EXPECT_FALSE(Json::parse(R"({"a":1,"a":2})"));
}

TEST(JsonTrees, MembersAreFoundMadeAndTakenAway) {
    auto tree = Json::parse(R"({"a":{"b":"c"},"d":1})").value();
    EXPECT_EQ(tree.text_at({"a", "b"}), "c");
    EXPECT_EQ(tree.text_at({"a", "x", "y"}), "");
    EXPECT_EQ(tree.at({"d"})->integer(), 1);
    EXPECT_FALSE(tree.at({"d", "e"}));
    tree["a"]["x"]["y"] = "z";
    EXPECT_TRUE(tree.erase("d"));
    EXPECT_FALSE(tree.erase("d"));
    EXPECT_EQ(tree.text(), R"({"a":{"b":"c","x":{"y":"z"}}})");
    EXPECT_EQ(tree.depth(), 3u);
}

TEST(JsonTrees, AreEqualByWhatTheySay) {
    const auto equal = [](std::string_view one, std::string_view other) {
        return Json::parse(one).value() == Json::parse(other).value();
    };
    EXPECT_TRUE(equal(R"({"a":1,"b":[1]})", R"({"b":[1],"a":1})"));
    for (const auto& [one, other] : std::initializer_list<std::pair<const char*, const char*>>{
             {R"({"a":1})", R"({"a":1,"b":2})"},
             {"[1,2]", "[2,1]"},
             {"1", "1.0"},
             {"null", "{}"},
             {"\"1\"", "1"},
             {"true", "1"},
             {"{}", "[]"},
             {"18446744073709551615", "-1"}})
        EXPECT_FALSE(equal(one, other)) << one << " " << other;
    EXPECT_TRUE(equal("18446744073709551615", "18446744073709551615"));
}

}  // namespace
}  // namespace sheaf

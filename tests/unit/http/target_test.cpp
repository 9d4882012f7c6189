#include "http/target.h"

#include <gtest/gtest.h>

namespace sheaf::http {
namespace {

TEST(Targets, AreSegmentsAndParameters) {
    const auto target = parse_target("/api/v1/x%20y/?a=1&b=c%3Dd+e&&f&a=2").value();
    EXPECT_EQ(target.path, (std::vector<std::string>{"api", "v1", "x y"}));
    EXPECT_EQ(target.parameter("a"), "1");
    EXPECT_EQ(target.parameter("b"), "c=d e");
    EXPECT_EQ(target.parameter("f"), "");
    EXPECT_FALSE(target.parameter("g"));
    EXPECT_TRUE(parse_target("/").value().path.empty());
    EXPECT_TRUE(parse_target("/?a").value().path.empty());
}

TEST(Targets, WhatCouldMeanTwoThingsIsRefused) {
    for (const auto* text :
         {"", "api", "*", "http://a/b", "//", "/a//b", "/a/../b", "/a/%2e%2E/b", "/./a", "/a%2fb",
          "/a%2Fb", "/a%00", "/a%0a", "/a%", "/a%2", "/a%zz", "/a%ff", "/a?b=%0d", "/a?b=%c0%80"}) {
        const auto target = parse_target(text);
        ASSERT_FALSE(target) << text;
        EXPECT_EQ(target.error().kind(), Kind::invalid);
    }
    std::string many = "/?";
    for (int count = 0; count < 65; ++count) many += "a=1&";
    EXPECT_FALSE(parse_target(many));
}

}  // namespace
}  // namespace sheaf::http

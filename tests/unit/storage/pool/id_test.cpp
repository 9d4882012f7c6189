#include "storage/pool/id.h"

#include <gtest/gtest.h>

namespace sheaf::pool {
namespace {

TEST(Ids, AreTextAndBack) {
    const auto id = make_id().value();
    EXPECT_EQ(to_text(id).size(), 32u);
    EXPECT_EQ(parse_id(to_text(id)).value(), id);
    EXPECT_EQ(to_text(Id{0x01, 0xaf}), "01af" + std::string(28, '0'));
}

TEST(Ids, DifferEachTime) {
    EXPECT_NE(make_id().value(), make_id().value());
}

TEST(Ids, OtherTextIsNone) {
    for (const auto& text : {std::string{}, std::string(31, '0'), std::string(33, '0'),
                             std::string(31, '0') + "A", std::string(31, '0') + "/"})
        EXPECT_FALSE(parse_id(text)) << text;
}

TEST(Ids, WhatIsNoneIsTold) {
    EXPECT_EQ(parse_id("a\x1b").error().text(), R"("a\u001b" is no id of 32 digits)");
}

TEST(BootIds, StayWhileTheHostRuns) {
    const auto boot = boot_id();
    ASSERT_TRUE(boot) << boot.error().text();
    EXPECT_NE(*boot, Id{});
    EXPECT_EQ(boot_id().value(), *boot);
}

}  // namespace
}  // namespace sheaf::pool

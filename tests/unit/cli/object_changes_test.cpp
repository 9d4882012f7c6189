#include "cli/object_changes.h"

#include <gtest/gtest.h>

namespace sheaf::cli {
namespace {

TEST(Changes, AreWhatALineSays) {
    const auto change = parse_change(R"({"type":"ADDED","object":{"metadata":{"name":"a"}}})");
    ASSERT_TRUE(change);
    EXPECT_EQ(change->type, "ADDED");
    EXPECT_EQ(change->object.text_at({"metadata", "name"}), "a");
    for (const auto* line : {"", "[]", R"({"type":"ADDED"})", R"({"type":"ADDED","object":1})"})
        EXPECT_FALSE(parse_change(line)) << line;
}

TEST(Changes, ThatAreAnErrorAreTheServersWords) {
    const auto lost = parse_change(
        R"({"type":"ERROR","object":{"code":409,"reason":"Conflict","message":"too\u001bold"}})");
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().text(), "too?old");
    EXPECT_EQ(lost.error().kind(), Kind::conflict);
}

TEST(Revisions, AreOfTheObjectOrOfTheRow) {
    EXPECT_EQ(revision_of(*Json::parse(R"({"metadata":{"resourceVersion":"5"}})")), "5");
    EXPECT_EQ(revision_of(*Json::parse(R"({"kind":"Table","metadata":{},"rows":[{"object":)"
                                       R"({"metadata":{"resourceVersion":"7"}}}]})")),
              "7");
    EXPECT_EQ(revision_of(*Json::parse(R"({"rows":[]})")), "");
}

}  // namespace
}  // namespace sheaf::cli

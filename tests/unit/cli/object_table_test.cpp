#include "cli/object_table.h"

#include <gtest/gtest.h>

namespace sheaf::cli {
namespace {

Json page(std::string_view cells) {
    return *Json::parse(
        R"({"kind":"Table","columnDefinitions":[{"name":"Name"},{"name":"Host","priority":1},)"
        R"({"name":"Age","priority":0}],"rows":[{"cells":)" +
        std::string{cells} + R"(,"object":{"metadata":{"namespace":"default"}}}]})");
}

TEST(ObjectTable, ShowsWhatTheServerSays) {
    ObjectTable table{{}};
    ASSERT_TRUE(table.add(page(R"(["web","n1","5s"])")));
    ASSERT_TRUE(table.add(page(R"(["longer","n1",null])")));
    EXPECT_EQ(table.take(), "NAME     AGE\nweb      5s\nlonger\n");
    ASSERT_TRUE(table.add(page(R"(["x","n1",7])")));
    EXPECT_EQ(table.take(), "x        7\n");
    EXPECT_EQ(table.take(), "");
}

TEST(ObjectTable, ShowsMoreWhereItIsAsked) {
    ObjectTable table{{.wide = true, .name_space = true, .event = true}};
    ASSERT_TRUE(table.add(page(R"(["we\u001b[1mb","n1","5s"])"), "ADDED"));
    EXPECT_EQ(table.take(),
              "EVENT   NAMESPACE   NAME      HOST   AGE\n"
              "ADDED   default     we?[1mb   n1     5s\n");
}

TEST(ObjectTable, RefusesWhatIsNone) {
    ObjectTable table{{}};
    EXPECT_FALSE(table.add(*Json::parse(R"({"kind":"Status"})")));
    EXPECT_FALSE(table.add(page(R"(["web"])")));
}

}  // namespace
}  // namespace sheaf::cli

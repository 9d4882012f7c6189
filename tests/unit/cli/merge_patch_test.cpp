#include "cli/merge_patch.h"

#include <gtest/gtest.h>

namespace sheaf::cli {
namespace {

Json tree(std::string_view text) {
    return *Json::parse(text);
}

TEST(MergePatch, IsWhatDiffers) {
    EXPECT_EQ(merge_difference(tree(R"({"a":1,"b":{"c":1,"d":2},"e":[1]})"),
                               tree(R"({"a":1,"b":{"c":2},"e":[1,2],"f":{}})"))
                  .text(),
              R"({"b":{"c":2,"d":null},"e":[1,2],"f":{}})");
    EXPECT_EQ(merge_difference(tree(R"({"a":{"b":1}})"), tree(R"({"a":{"b":1}})")).text(), "{}");
}

TEST(MergePatch, RemovesWhatTheFileSaidAndLeavesWhatOthersSet) {
    const auto last = tree(R"({"spec":{"a":1,"b":2,"gone":{"x":1}}})");
    const auto current = tree(R"({"spec":{"a":1,"b":2,"other":3},"status":{}})");
    const auto wanted = tree(R"({"spec":{"a":5,"n":null}})");
    EXPECT_EQ(three_way_patch(last, current, wanted).text(), R"({"spec":{"a":5,"b":null}})");
    EXPECT_EQ(three_way_patch(wanted, tree(R"({"spec":{"a":5}})"), wanted).text(), "{}");
    EXPECT_EQ(three_way_patch(tree("{}"), tree(R"({"a":"x"})"), tree(R"({"a":{"b":null}})")).text(),
              R"({"a":{"b":null}})");
}

TEST(LastApplied, IsWrittenAsKubectlDoes) {
    EXPECT_EQ(
        last_applied_text(tree(R"({"kind":"V","apiVersion":"v1","metadata":{"name":"a"}})")),
        "{\"apiVersion\":\"v1\",\"kind\":\"V\",\"metadata\":{\"annotations\":{},\"name\":\"a\"}}"
        "\n");
}

}  // namespace
}  // namespace sheaf::cli

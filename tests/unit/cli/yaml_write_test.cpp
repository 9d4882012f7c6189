#include "cli/yaml_write.h"

#include <gtest/gtest.h>

#include "cli/yaml_read.h"

namespace sheaf::cli {
namespace {

TEST(YamlWrite, IsForPeople) {
    const auto tree = Json::parse(
        R"({"name":"web","size":10,"ok":true,"none":null,"empty":[],"note":"","no":"no",)"
        R"("list":[1,{"x":[2,[3,4]],"y":{}}],"in":{"text":"a\n b\n","two":"a\n\nb"},)"
        R"("at":"2020-01-01"})");
    EXPECT_EQ(to_yaml(*tree),
              "name: web\n"
              "size: 10\n"
              "ok: true\n"
              "none: null\n"
              "empty: []\n"
              "note: \"\"\n"
              "\"no\": \"no\"\n"
              "list:\n"
              "- 1\n"
              "- x:\n"
              "  - 2\n"
              "  - - 3\n"
              "    - 4\n"
              "  \"y\": {}\n"
              "in:\n"
              "  text: |\n"
              "    a\n"
              "     b\n"
              "  two: |-\n"
              "    a\n"
              "\n"
              "    b\n"
              "at: \"2020-01-01\"\n");
    EXPECT_EQ(to_yaml(Json{7}), "7\n");
    EXPECT_EQ(to_yaml(*Json::parse("{}")), "{}\n");
    EXPECT_EQ(to_yaml(*Json::parse(R"({"a":1})"), 2), "  a: 1\n");
}

// Whatever a string is, it is the same string when it is read.
TEST(YamlWrite, IsReadAsItWasWritten) {
    for (const std::string text : {"yes",
                                   "y",
                                   "null",
                                   "~",
                                   "1",
                                   "1_0",
                                   "0x1",
                                   "1e3",
                                   ".5",
                                   ".",
                                   "..",
                                   "-",
                                   "- a",
                                   "a: b",
                                   "a:",
                                   "a #b",
                                   "#a",
                                   "a ",
                                   " a",
                                   "<<",
                                   "=",
                                   "*a",
                                   "&a",
                                   "!a",
                                   "|",
                                   ">",
                                   "%a",
                                   "@a",
                                   "`a",
                                   "{a",
                                   "[a",
                                   "\"a",
                                   "'a",
                                   "a\nb",
                                   "\na",
                                   " a\nb",
                                   "a\nb\n\n",
                                   "a\tb",
                                   "a\x7f",
                                   "\xc2\x85",
                                   "a\n\xe2\x80\xa8z",
                                   "a\n\xef\xbb\xbfz",
                                   "1:30",
                                   "12:30:45",
                                   "2020-01-01",
                                   "0o8",
                                   "---",
                                   "...",
                                   "? a",
                                   "a\\b",
                                   "+.inf",
                                   "a\n# b",
                                   "a\n--- b",
                                   "512Mi",
                                   "a, b",
                                   "true "}) {
        const auto tree = Json::object({{text.contains('\n') ? "k" : text, Json::Array{text}}});
        const auto again = read_documents(to_yaml(tree));
        ASSERT_TRUE(again) << to_yaml(tree) << again.error().text();
        ASSERT_EQ(again->size(), 1U) << to_yaml(tree);
        EXPECT_EQ(again->front(), tree) << to_yaml(tree);
    }
}

}  // namespace
}  // namespace sheaf::cli

#include "cli/yaml_read.h"

#include <gtest/gtest.h>

namespace sheaf::cli {
namespace {

std::string first(std::string_view text) {
    const auto documents = read_documents(text);
    if (!documents) return "refused: " + documents.error().text();
    return documents->empty() ? "nothing" : documents->front().text();
}

TEST(YamlRead, GivesWhatKubectlReads) {
    EXPECT_EQ(first("a: yes\nb: y\nc: 1_000\nd: 0o17\ne: 017\nf: 2020-01-01\ng: 1e3\nh: .5\n"),
              R"({"a":true,"b":true,"c":1000,"d":15,"e":15,"f":"2020-01-01","g":1000,"h":0.5})");
    EXPECT_EQ(first("a: \"yes\"\nb: +1\nc: 1.0\nd: 0x1F\ne: NO\nf: !!str 5\ng: 08\nh: ~\ni:\n"),
              R"({"a":"yes","b":1,"c":1,"d":31,"e":false,"f":"5","g":8,"h":null,"i":null})");
    EXPECT_EQ(first("1: x\ntrue: y\nk: 18446744073709551615\nm: -9223372036854775808\n"),
              R"({"1":"x","true":true,"k":18446744073709551615,"m":-9223372036854775808})");
    EXPECT_EQ(first("a: 512Mi\nb: 1:30\nc: 'it''s'\nd: |\n  x\n  y\ne: >-\n  x\n  y\n"),
              R"({"a":"512Mi","b":"1:30","c":"it's","d":"x\ny\n","e":"x y"})");
}

TEST(YamlRead, TakesEveryDocument) {
    const auto documents = read_documents("# nothing\n---\na: 1\n---\n---\n{b: [1, 2]}\n...\n");
    ASSERT_TRUE(documents);
    ASSERT_EQ(documents->size(), 2U);
    EXPECT_EQ(documents->at(1).text(), R"({"b":[1,2]})");
    EXPECT_EQ(first("{\"a\": \"\\ud83d\\ude00\"}"), "{\"a\":\"\xf0\x9f\x98\x80\"}");
}

TEST(YamlRead, KnowsAnchorsAndMerges) {
    EXPECT_EQ(first("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n"),
              R"({"a":{"b":1,"c":2},"d":{"c":3,"b":1}})");
    EXPECT_EQ(first("a: *x\n"), "refused: line 1: *x stands for nothing before it");
    EXPECT_EQ(first("a: &x [*x]\n"), "refused: line 1: *x stands for nothing before it");
    EXPECT_EQ(first("a: &x 1\n---\nb: *x\n"), "refused: line 3: *x stands for nothing before it");
}

TEST(YamlRead, RefusesBombs) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        text += fmt::format("a{0}: &a{0} [", i);
        for (int j = 0; j < 9; ++j) text += fmt::format("*a{},", i - 1);
        text += "]\n";
    }
    EXPECT_NE(first(text).find("more than 200000 values"), std::string::npos);
    EXPECT_NE(first(std::string(100, '[') + std::string(100, ']')).find("nested deeper"),
              std::string::npos);
    std::string deep = "a0: &a0 [x]\n";
    for (int i = 1; i < 80; ++i) deep += fmt::format("a{0}: &a{0} [*a{1}]\n", i, i - 1);
    EXPECT_NE(first(deep).find("nested deeper"), std::string::npos);
}

TEST(YamlRead, SaysWhereItIsWrong) {
    EXPECT_EQ(first("a: 1\nb: 2\na: 3\n"), "refused: line 3: \"a\" is given twice");
    EXPECT_EQ(first("a: .inf\n"),
              "refused: line 1: .inf is no number of JSON; in quotes it is a string");
    EXPECT_EQ(first("a: !x 1\n"), "refused: line 1: the tag \"!x\" is not supported for \"1\"");
    EXPECT_NE(first("a: [1\nb: 2\n").find("refused: line 2"), std::string::npos);
    EXPECT_NE(first("a: \xff\n").find("refused: byte 3"), std::string::npos);
    EXPECT_NE(first("? [a]\n: 1\n").find("a name that is no text"), std::string::npos);
}

}  // namespace
}  // namespace sheaf::cli

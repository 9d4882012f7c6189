#include "api/patch.h"

#include <gtest/gtest.h>

namespace sheaf::api {
namespace {

std::string merged(std::string_view target, std::string_view patch) {
    auto document = Json::parse(target).value();
    apply_merge_patch(document, Json::parse(patch).value());
    return document.text();
}

// What becomes of it; empty where it is refused, and then nothing has changed.
std::string patched(std::string_view target, std::string_view patch) {
    auto document = Json::parse(target).value();
    const auto before = document;
    if (apply_json_patch(document, Json::parse(patch).value())) return document.text();
    EXPECT_EQ(document, before);
    return {};
}

// The examples of RFC 7386, appendix A.
TEST(Patches, MergeAsTheirDocumentSays) {
    EXPECT_EQ(merged(R"({"a":"b"})", R"({"a":"c"})"), R"({"a":"c"})");
    EXPECT_EQ(merged(R"({"a":"b"})", R"({"b":"c"})"), R"({"a":"b","b":"c"})");
    EXPECT_EQ(merged(R"({"a":"b"})", R"({"a":null})"), "{}");
    EXPECT_EQ(merged(R"({"a":["b"]})", R"({"a":"c"})"), R"({"a":"c"})");
    EXPECT_EQ(merged(R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})"), R"({"a":{"b":"d"}})");
    EXPECT_EQ(merged(R"({"a":[{"b":"c"}]})", R"({"a":[1]})"), R"({"a":[1]})");
    EXPECT_EQ(merged(R"({"e":null})", R"({"a":1})"), R"({"e":null,"a":1})");
    EXPECT_EQ(merged("{}", R"({"a":{"bb":{"ccc":null}}})"), R"({"a":{"bb":{}}})");
    EXPECT_EQ(merged(R"({"a":9007199254740993})", "{}"), R"({"a":9007199254740993})");
}

// The examples of RFC 6902, appendix A.
TEST(Patches, OperationsAsTheirDocumentSays) {
    EXPECT_EQ(patched(R"({"f":"b"})", R"([{"op":"add","path":"/g","value":1}])"),
              R"({"f":"b","g":1})");
    EXPECT_EQ(patched(R"({"f":[1,3]})", R"([{"op":"add","path":"/f/1","value":2}])"),
              R"({"f":[1,2,3]})");
    EXPECT_EQ(patched(R"({"f":[1]})", R"([{"op":"add","path":"/f/-","value":[2]}])"),
              R"({"f":[1,[2]]})");
    EXPECT_EQ(patched(R"({"f":[1,2,3]})", R"([{"op":"remove","path":"/f/1"}])"), R"({"f":[1,3]})");
    EXPECT_EQ(patched(R"({"a":{"b":1},"c":{}})", R"([{"op":"move","from":"/a/b","path":"/c/d"}])"),
              R"({"a":{},"c":{"d":1}})");
    EXPECT_EQ(patched(R"({"a":[1,2]})", R"([{"op":"copy","from":"/a","path":"/b"}])"),
              R"({"a":[1,2],"b":[1,2]})");
    EXPECT_EQ(patched(R"({"a":1})", R"([{"op":"replace","path":"","value":{"b":2}}])"),
              R"({"b":2})");
    EXPECT_EQ(patched(R"({"/":9,"~1":10})",
                      R"([{"op":"test","path":"/~01","value":10},{"op":"remove","path":"/~1"}])"),
              R"({"~1":10})");
}

TEST(Patches, WhatDoesNotFitIsRefusedWhole) {
    for (const auto* patch :
         {R"({})", R"([1])", R"([{"op":"add","path":"/a/b/c","value":1}])",
          R"([{"op":"remove","path":"/none"}])", R"([{"op":"replace","path":"/none","value":1}])",
          R"([{"op":"test","path":"/a","value":2}])", R"([{"op":"add","path":"/a"}])",
          R"([{"op":"add","value":1}])", R"([{"op":"fly","path":"/a"}])",
          R"([{"op":"add","path":"a","value":1}])", R"([{"op":"add","path":"/~2","value":1}])",
          R"([{"op":"add","path":"/l/4","value":1}])", R"([{"op":"add","path":"/l/01","value":1}])",
          R"([{"op":"add","path":"/l/-1","value":1}])", R"([{"op":"remove","path":""}])",
          R"([{"op":"remove","path":"/l/-"}])", R"([{"op":"move","from":"/o","path":"/o/p/q"}])",
          R"([{"op":"add","path":"/b","value":1},{"op":"remove","path":"/none"}])"})
        EXPECT_EQ(patched(R"({"a":1,"l":[1,2,3],"o":{"p":{}}})", patch), "") << patch;
}

TEST(Patches, NobodyMakesTooMuchOfADocument) {
    std::string patch = "[";
    for (int count = 0; count < 40; ++count)
        patch +=
            fmt::format(R"({}{{"op":"copy","from":"","path":"/{}"}})", count ? "," : "", count);
    EXPECT_EQ(patched(R"({"a":"some text that is long enough"})", patch + "]"), "");
    std::string many = "[";
    for (int count = 0; count < 1001; ++count)
        many += fmt::format(R"({}{{"op":"test","path":"","value":{{}}}})", count ? "," : "");
    EXPECT_EQ(patched("{}", many + "]"), "");
}

TEST(Patches, WhatIsStrategicIsRefused) {
    EXPECT_TRUE(check_strategic_patch(Json::parse(R"({"data":{"a":null},"l":[1]})").value()));
    for (const auto* patch :
         {R"({"$patch":"delete"})", R"({"a":{"$retainKeys":[]}})", R"([])",
          R"({"metadata":{"finalizers":["a"]}})", R"({"metadata":{"ownerReferences":[]}})"})
        EXPECT_FALSE(check_strategic_patch(Json::parse(patch).value())) << patch;
}

}  // namespace
}  // namespace sheaf::api

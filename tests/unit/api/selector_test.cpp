#include "api/selector.h"

#include <gtest/gtest.h>

#include "api/kinds.h"

namespace sheaf::api {
namespace {

bool selects(std::string_view labels, std::string_view fields = {}) {
    static const auto object =
        Json::parse(R"({"metadata":{"name":"n","labels":{"app":"web","tier":""}},)"
                    R"("involvedObject":{"name":"vm"},"reason":"Started"})")
            .value();
    return Selector::parse(event_kind, labels, fields).value().selects(object);
}

TEST(Selectors, SelectByLabels) {
    for (const auto* labels :
         {"", "app", "!none", "app=web", "app==web", "app!=db", "none!=x", "app in (db, web)",
          "app notin (db)", "none notin (x)", "tier=", "app=web,tier,!none", " app = web "})
        EXPECT_TRUE(selects(labels)) << labels;
    for (const auto* labels : {"none", "!app", "app=db", "app!=web", "app in (db)", "none=x",
                               "app notin (web,db)", "app,none", "none in ()"})
        EXPECT_FALSE(selects(labels)) << labels;
}

TEST(Selectors, SelectByFields) {
    EXPECT_TRUE(selects({}, "metadata.name=n,involvedObject.name==vm,reason!=Ended"));
    EXPECT_FALSE(selects({}, "metadata.name=m"));
    EXPECT_FALSE(selects("app=db", "metadata.name=n"));
    EXPECT_TRUE(selects({}, "metadata.namespace="));
}

TEST(Selectors, WhatMeansNothingIsRefused) {
    for (const auto* labels :
         {"=", "a b", "a=b c", "a in b", "a out (b)", "a in (b", "-", ",", "!"})
        EXPECT_FALSE(Selector::parse(volume_kind, labels, {})) << labels;
    for (const auto* fields : {"spec.size=1", "metadata.name", "=", "reason=x"})
        EXPECT_FALSE(Selector::parse(volume_kind, {}, fields)) << fields;
    std::string many = "a";
    for (int count = 0; count < 64; ++count) many += ",a";
    EXPECT_FALSE(Selector::parse(volume_kind, many, {}));
}

}  // namespace
}  // namespace sheaf::api

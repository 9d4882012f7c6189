// Server-side apply, as clients of Kubernetes use it.

#include "api/apply.h"

#include "world.h"

namespace sheaf::api {
namespace {

const std::string volumes = "/apis/sheaf.io/v1/namespaces/default/volumes";

class Apply : public ApiWorld {
  protected:
    Said apply(std::string manager, std::string body, std::string more = {}) {
        return patch(volumes + "/a?fieldManager=" + manager + more, "apply-patch+yaml",
                     std::move(body));
    }
    // A volume with these labels.
    static std::string labelled(std::string_view labels, std::string_view size = "1Gi") {
        return fmt::format(R"({{"apiVersion":"sheaf.io/v1","kind":"Volume",)"
                           R"("metadata":{{"name":"a","labels":{{{}}}}},"spec":{{"size":"{}"}}}})",
                           labels, size);
    }
    Json volume() { return ask("GET", volumes + "/a").body; }
    std::string labels() {
        const auto object = volume();
        const auto* found = object.at({"metadata", "labels"});
        return found ? found->text() : "";
    }
};

TEST_F(Apply, MakesWhatIsNotThereAndTheSameAgainChangesNothing) {
    const auto made = apply("one", labelled(R"("x":"1")"));
    EXPECT_EQ(made.status, 201u) << made.text;
    const auto again = apply("one", labelled(R"("x":"1")"));
    EXPECT_EQ(again.status, 200u);
    EXPECT_EQ(again.body, made.body);
    const auto& entry = made.body.at({"metadata", "managedFields"})->array()->front();
    EXPECT_EQ(entry.text_at({"manager"}), "one");
    EXPECT_EQ(entry.find("fieldsV1")->text(),
              R"({"f:spec":{"f:size":{}},"f:metadata":{"f:labels":{"f:x":{}}}})");
}

TEST_F(Apply, WhatIsNoLongerDescribedGoes) {
    apply("one", labelled(R"("x":"1","y":"2")"));
    patch(volumes + "/a", "merge-patch+json", R"({"metadata":{"labels":{"z":"3"}}})");
    const auto after = apply("one", labelled(R"("x":"1")"));
    EXPECT_EQ(after.status, 200u) << after.text;
    EXPECT_EQ(labels(), R"({"x":"1","z":"3"})");
}

TEST_F(Apply, WhatTwoDescribeStaysAsLongAsOneDoes) {
    apply("one", labelled(R"("x":"1","y":"2")"));
    EXPECT_EQ(apply("two", labelled(R"("y":"2")")).status, 200u);
    apply("one", labelled(R"("x":"1")"));
    EXPECT_EQ(labels(), R"({"x":"1","y":"2"})");
    apply("two", labelled(""));
    EXPECT_EQ(labels(), R"({"x":"1"})");
}

TEST_F(Apply, AnothersFieldIsAConflictUnlessForced) {
    apply("one", labelled(R"("x":"1")"));
    const auto refused = apply("two", labelled(R"("x":"2")", "2Gi"));
    ASSERT_EQ(refused.status, 409u) << refused.text;
    const auto* causes = refused.body.at({"details", "causes"})->array();
    ASSERT_EQ(causes->size(), 2u) << refused.text;
    EXPECT_EQ(causes->front().text_at({"field"}), ".spec.size");
    EXPECT_EQ(labels(), R"({"x":"1"})");
    EXPECT_EQ(apply("two", labelled(R"("x":"2")"), "&force=true").status, 200u);
    EXPECT_EQ(labels(), R"({"x":"2"})");
    // Now it is the other's.
    EXPECT_EQ(apply("one", labelled(R"("x":"1")")).status, 409u);
}

TEST_F(Apply, WhatAnUpdateChangedIsNobodysAndAConflictToo) {
    apply("one", labelled("", "1Gi"));
    patch(volumes + "/a", "merge-patch+json", R"({"spec":{"size":"5Gi"}})");
    EXPECT_EQ(apply("one", labelled("", "2Gi")).status, 409u);
    EXPECT_EQ(apply("one", labelled("", "5Gi")).status, 200u);
    EXPECT_EQ(apply("one", labelled("", "6Gi")).status, 200u);
}

TEST_F(Apply, IsCheckedAsEverythingIs) {
    EXPECT_EQ(apply("", labelled("")).status, 400u);
    EXPECT_EQ(apply("one", "spec: {size: 1Gi}").status, 400u);
    EXPECT_EQ(apply("one", "[]").status, 400u);
    EXPECT_EQ(apply("one", labelled("", "big")).status, 422u);
    EXPECT_EQ(apply("one", R"({"metadata":{"name":"b"},"spec":{"size":1}})").status, 400u);
    EXPECT_EQ(apply("one", labelled(""), "&dryRun=All").status, 201u);
    EXPECT_EQ(ask("GET", volumes + "/a").status, 404u);
    apply("one", labelled(""));
    EXPECT_EQ(apply("one", R"({"metadata":{"name":"b"},"spec":{"size":1}})").status, 400u);
    EXPECT_EQ(apply("one", R"({"kind":"Image","spec":{"size":"1Gi"}})").status, 400u);
    EXPECT_EQ(apply("one", R"({"metadata":{"resourceVersion":"1"},"spec":{}})").status, 409u);
    EXPECT_EQ(patch(volumes + "/a/status?fieldManager=one", "apply-patch+yaml", "{}").status, 415u);
}

}  // namespace
}  // namespace sheaf::api

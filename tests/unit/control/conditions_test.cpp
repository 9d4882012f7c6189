#include "control/conditions.h"

#include <gtest/gtest.h>

namespace sheaf::control {
namespace {

Json object(int generation) {
    auto metadata = Json::object({{"generation", generation}});
    return Json::object({{"metadata", std::move(metadata)}});
}

TEST(Conditions, TheTimeIsThatOfTheLastTransition) {
    Json status;
    set_condition(status, object(1), {"Ready", no, "Pending", "it waits"}, "t1");
    set_condition(status, object(2), {"Ready", no, "Failed", "it cannot"}, "t2");
    const auto* ready = find_condition(status, "Ready");
    ASSERT_NE(ready, nullptr);
    EXPECT_EQ(ready->text_at({"lastTransitionTime"}), "t1");
    EXPECT_EQ(ready->text_at({"reason"}), "Failed");
    EXPECT_EQ(ready->find("observedGeneration")->integer(), 2);
    set_condition(status, object(2), {"Ready", yes, "Made", ""}, "t3");
    EXPECT_EQ(find_condition(status, "Ready")->text_at({"lastTransitionTime"}), "t3");
    EXPECT_EQ(find_condition(status, "Ready")->find("message"), nullptr);
    EXPECT_EQ(status.find("conditions")->array()->size(), 1U);
}

TEST(Conditions, TheSameSaidAgainChangesNothing) {
    Json status;
    set_condition(status, object(1), {"Ready", yes, "Made", "m"}, "t1");
    set_condition(status, object(1), {"Other", no, "No", ""}, "t1");
    const auto before = status;
    set_condition(status, object(1), {"Ready", yes, "Made", "m"}, "t2");
    EXPECT_EQ(status, before);
}

TEST(Conditions, OneIsRemovedAndTheOthersStay) {
    Json status;
    set_condition(status, object(1), {"Ready", yes, "Made", ""}, "t1");
    set_condition(status, object(1), {"Other", no, "No", ""}, "t1");
    remove_condition(status, "Ready");
    EXPECT_EQ(find_condition(status, "Ready"), nullptr);
    EXPECT_NE(find_condition(status, "Other"), nullptr);
    EXPECT_TRUE(is_condition(Json::object({{"status", status}}), "Other", no));
    EXPECT_FALSE(is_condition(Json::object({{"status", status}}), "Other", yes));
}

}  // namespace
}  // namespace sheaf::control

#include "control/event_recorder.h"

#include "unit/control/world.h"

namespace sheaf::control {
namespace {

using namespace std::chrono_literals;

class EventRecorderTest : public ControlWorld {
  protected:
    void SetUp() override {
        ControlWorld::SetUp();
        object_ = create(api::volume_kind, R"({"metadata":{"name":"v","namespace":"default"},
                                               "spec":{"size":"1Gi"}})");
    }
    void record(Event event) { get(events_.record(api::volume_kind, object_, std::move(event))); }
    std::vector<Json> events() { return get(client_.list(api::event_kind, "default")); }
    io::Task<void> pass(io::Duration time) { co_await loop_->sleep(time); }

    Logger logger_{2, LogLevel::error};
    EventRecorder events_{*loop_, client_, logger_};
    Json object_;
};

TEST_F(EventRecorderTest, WhatHappensAgainIsCounted) {
    record({warning, "Failed", "no room"});
    get(pass(5s));
    record({warning, "Failed", "no room"});
    record({normal, "Ready", "made"});
    const auto found = events();
    ASSERT_EQ(found.size(), 2U);
    const auto& failed = found[0].text_at({"reason"}) == "Failed" ? found[0] : found[1];
    EXPECT_EQ(failed.find("count")->integer(), 2);
    EXPECT_EQ(failed.text_at({"message"}), "no room");
    EXPECT_EQ(failed.text_at({"involvedObject", "kind"}), "Volume");
    EXPECT_EQ(failed.text_at({"involvedObject", "uid"}), object_.text_at({"metadata", "uid"}));
    EXPECT_LT(failed.text_at({"firstTimestamp"}), failed.text_at({"lastTimestamp"}));
    EXPECT_FALSE(failed.text_at({"metadata", "uid"}).empty());
}

TEST_F(EventRecorderTest, IsForgottenAfterAnHourAndNotBefore) {
    record({normal, "Ready", "made"});
    get(pass(9min));
    record({normal, "Grown", "larger"});
    get(pass(60min));
    EXPECT_EQ(events().size(), 2U);
    get(pass(2min));
    EXPECT_EQ(events().size(), 0U);
    record({normal, "Ready", "made"});
    EXPECT_EQ(events().size(), 1U);
}

TEST_F(EventRecorderTest, AFloodIsCutOff) {
    for (std::uint64_t number = 0; number < EventRecorder::burst + 100; ++number)
        record({normal, "Noise", fmt::format("{}", number)});
    EXPECT_GE(events().size(), EventRecorder::burst);
    EXPECT_LT(events().size(), EventRecorder::burst + 10);
}

TEST_F(EventRecorderTest, ANamespaceThatEndsHearsNothing) {
    get(objects_.ensure_namespace("other"));
    auto elsewhere = object_;
    elsewhere["metadata"]["namespace"] = "other";
    remove(api::namespace_kind, "other");
    get(events_.record(api::volume_kind, elsewhere, {normal, "Ready", "made"}));
    EXPECT_EQ(get(client_.list(api::event_kind)).size(), 0U);
}

TEST_F(EventRecorderTest, OfAnObjectOfTheClusterItIsInTheDefaultNamespace) {
    const auto node = create(api::node_kind, R"({"metadata":{"name":"host"}})");
    get(events_.record(api::node_kind, node, {normal, "Ready", "it is"}));
    EXPECT_EQ(events().size(), 1U);
}

}  // namespace
}  // namespace sheaf::control

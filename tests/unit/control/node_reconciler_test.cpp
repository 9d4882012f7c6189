#include "control/node_reconciler.h"

#include "unit/control/world.h"

namespace sheaf::control {
namespace {

using namespace std::chrono_literals;

class NodeReconcilerTest : public ControlWorld {
  protected:
    void SetUp() override {
        ControlWorld::SetUp();
        facts_ = {.name = "host",
                  .kernel = "6.1.0",
                  .architecture = "x86_64",
                  .system = "Debian",
                  .boot = "b",
                  .machine = "m",
                  .processors = 4,
                  .memory = 8ULL << 30,
                  .available_memory = 4ULL << 30,
                  .space = 100ULL << 30,
                  .free_space = 50ULL << 30,
                  .kvm = true};
    }
    void pass(io::Duration time) {
        Process process{*loop_, kv_, clock_};
        NodeReconciler node{*loop_, process.client(), process.events(), [this] { return facts_; }};
        process.add(node);
        get(process.run_for(time));
    }
    std::string condition(std::string_view type) {
        return ControlWorld::condition(api::node_kind, "host", type);
    }

    HostFacts facts_;
};

TEST_F(NodeReconcilerTest, IsThereFromTheStartAndAgainWhenItWasDeleted) {
    pass(1s);
    const auto node = read(api::node_kind, "host");
    ASSERT_TRUE(node);
    EXPECT_EQ(node->text_at({"status", "capacity", "cpu"}), "4");
    EXPECT_EQ(node->text_at({"status", "capacity", "memory"}), "8Gi");
    EXPECT_EQ(node->text_at({"status", "nodeInfo", "kernelVersion"}), "6.1.0");
    EXPECT_EQ(condition("Ready"), "True");
    EXPECT_EQ(condition("MemoryPressure"), "False");
    remove(api::node_kind, "host");
    pass(1s);
    EXPECT_EQ(condition("Ready"), "True");
}

TEST_F(NodeReconcilerTest, PressureBeginsBelowAShareAndEndsAboveTwiceAsMuch) {
    facts_.free_space = facts_.space * 4 / 100;
    pass(1s);
    EXPECT_EQ(condition("DiskPressure"), "True");
    facts_.free_space = facts_.space * 8 / 100;
    pass(1s);
    EXPECT_EQ(condition("DiskPressure"), "True");
    facts_.free_space = facts_.space * 11 / 100;
    pass(1s);
    EXPECT_EQ(condition("DiskPressure"), "False");
    facts_.free_space = facts_.space * 8 / 100;
    pass(1s);
    EXPECT_EQ(condition("DiskPressure"), "False");
}

TEST_F(NodeReconcilerTest, WithoutKvmItIsNotReadyAndSaysWhy) {
    facts_.kvm = false;
    pass(1s);
    EXPECT_EQ(reason(api::node_kind, "host", "Ready"), "NoKvm");
}

TEST_F(NodeReconcilerTest, AnIdleHostIsWrittenAboutEachFiveMinutesAndNoMore) {
    pass(1s);
    const auto before = store_.revision();
    pass(1h);
    EXPECT_LE(store_.revision() - before, 14U);
    EXPECT_GE(store_.revision() - before, 11U);
}

TEST(HostFacts, AHostsNameIsFitForAnObject) {
    EXPECT_EQ(object_name_of("Web_1.Example.org"), "web-1.example.org");
    EXPECT_EQ(object_name_of("..-a-.-b-"), "a--b");
    EXPECT_EQ(object_name_of("a..b.-.c"), "a-b-c");
    EXPECT_EQ(object_name_of("___"), "localhost");
    EXPECT_EQ(object_name_of(""), "localhost");
}

TEST(HostFacts, ThisHostHasSomethingOfEverything) {
    const auto facts = look_at_host("/tmp");
    EXPECT_FALSE(facts.name.empty());
    EXPECT_FALSE(facts.kernel.empty());
    EXPECT_FALSE(facts.boot.empty());
    EXPECT_GT(facts.processors, 0U);
    EXPECT_GT(facts.memory, facts.available_memory);
    EXPECT_GT(facts.space, facts.free_space);
}

}  // namespace
}  // namespace sheaf::control

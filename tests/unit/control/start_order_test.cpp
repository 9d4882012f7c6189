#include "control/start_order.h"

#include "unit/control/machine_world.h"

namespace sheaf::control {
namespace {

TEST(StartOrder, WhoIsAboutToStartAndIsOfAHigherPriorityGoesFirst) {
    StartOrder order;
    const ObjectKey low{"n", "low"}, middle{"n", "middle"}, high{"n", "high"};
    order.note(low, -1, true);
    order.note(middle, 0, true);
    order.note(high, 7, true);
    EXPECT_EQ(order.before(low), high);
    EXPECT_EQ(order.before(middle), high);
    EXPECT_EQ(order.before(high), std::nullopt);
    order.note(high, 7, false);
    EXPECT_EQ(order.before(low), middle);
    EXPECT_EQ(order.before(middle), std::nullopt);
    order.expect(high, 7, true);
    EXPECT_EQ(order.before(middle), std::nullopt) << "what is known is not expected";
    order.forget(middle);
    EXPECT_EQ(order.before(low), std::nullopt);
    EXPECT_EQ(order.before({"n", "unknown"}), std::nullopt);
}

class MachinesInOrder : public MachinesWorld {
  protected:
    void machine(const std::string& name, const std::string& priority,
                 const std::string& volume = "") {
        const auto volumes =
            volume.empty()
                ? ""
                : fmt::format(R"(,"volumes":[{{"name":"d","dataVolume":{{"name":"{}"}}}}])",
                              volume);
        const auto* disks = volume.empty() ? "" : R"("disks":[{"name":"d"}])";
        const auto spec = fmt::format(
            R"({{"domain":{{"memory":{{"guest":"64Mi"}},"devices":{{{}}}}}{}}})", disks, volumes);
        create(api::virtual_machine_kind,
               fmt::format(R"({{"metadata":{{"name":"{}","namespace":"default",
                                             "annotations":{{"sheaf.io/start-priority":"{}"}}}},
                               "spec":{{"runStrategy":"Always","template":{{"spec":{}}}}}}})",
                           name, priority, spec));
    }
    void all_become(node::MachineState state) {
        for (auto& [uid, machine] : host_.machines) machine.status->state = state;
    }
    using Names = std::vector<std::string>;
};

TEST_F(MachinesInOrder, ALowerOneWaitsUntilTheHigherOneRuns) {
    host_.first = node::MachineState::starting;
    machine("a", "-3");
    machine("b", "0");
    machine("c", "12");
    pass(8s);
    EXPECT_EQ(host_.order, Names{"default/c"});
    EXPECT_EQ(reason(api::virtual_machine_kind, "b", "Ready"), "WaitsForTurn");
    all_become(node::MachineState::running);
    pass(8s);
    EXPECT_EQ(host_.order, (Names{"default/c", "default/b"}));
    all_become(node::MachineState::running);
    pass(8s);
    EXPECT_EQ(host_.order, (Names{"default/c", "default/b", "default/a"}));
}

TEST_F(MachinesInOrder, OneThatCannotStartHoldsNobodyUp) {
    machine("a", "0");
    machine("b", "1", "missing");
    pass(8s);
    EXPECT_EQ(host_.order, Names{"default/a"});
}

TEST_F(MachinesInOrder, OneThatIsHaltedOrDeletedHoldsNobodyUp) {
    host_.first = node::MachineState::starting;
    machine("a", "0");
    machine("b", "1");
    machine("c", "2");
    pass(1s);
    remove(api::virtual_machine_kind, "c");
    api::Patch patch{api::PatchType::merge,
                     Json::parse(R"({"spec":{"runStrategy":"Halted"}})").value()};
    ObjectKey key{"default", "b"};
    get(objects_.patch(key.place(api::virtual_machine_kind), std::move(patch), {}));
    pass(8s);
    EXPECT_EQ(host_.order, (Names{"default/c", "default/a"}));
}

TEST_F(MachinesInOrder, AHostThatComesUpStartsThemInOrder) {
    Names by_priority;
    for (int number = 0; number < 20; ++number) {
        const auto name = fmt::format("m{:02}", number);
        machine(name, fmt::format("{}", number));
        by_priority.insert(by_priority.begin(), "default/" + name);
    }
    pass(8s);
    ASSERT_EQ(host_.order, by_priority);
    host_.order.clear();
    Lifetime life;
    for (const auto& [uid, machine] : host_.machines)
        FakeHost{host_, life}.end(uid, "host_restarted");
    pass(20s);
    EXPECT_EQ(host_.order, by_priority);
    host_.order.clear();
    pass(8s);
    EXPECT_EQ(host_.order, Names{}) << "a daemon that comes up starts nothing that runs";
}

// As long as nobody has looked at its instance, that still says that it runs.
TEST_F(MachinesInOrder, OneWhoseEndNobodyHasToldYetGoesFirst) {
    machine("high", "1");
    pass(1s);
    Lifetime life;
    FakeHost host{host_, life};
    host.end(host_.machines.begin()->first, "host_restarted");
    machine("low", "0");
    Process process{*loop_, kv_, clock_};
    MachineReconciler machines{process.client(), process.events(), host};
    process.add(machines);
    get(process.run_for(1s));
    EXPECT_EQ(reason(api::virtual_machine_kind, "low", "Ready"), "WaitsForTurn");
    EXPECT_FALSE(read(api::virtual_machine_instance_kind, "low"));
}

}  // namespace
}  // namespace sheaf::control

#include "control/machine_volumes.h"

#include "unit/control/machine_world.h"

namespace sheaf::control {
namespace {

class MachineVolumesTest : public MachinesWorld {
  protected:
    void machine_with_volumes(const std::string& strategy = "Always") {
        create(api::virtual_machine_kind,
               fmt::format(R"({{"metadata":{{"name":"m","namespace":"default"}},"spec":{{
                   "runStrategy":"{}","template":{{"spec":{}}},"dataVolumeTemplates":[
                   {{"metadata":{{"name":"a","labels":{{"l":"1"}}}},"spec":{}}},
                   {{"metadata":{{"name":"b"}},"spec":{}}}]}}}})",
                           strategy, with_volumes, blank, blank));
    }
    void data_volume(const std::string& name, const std::string& owners = "") {
        create(api::data_volume_kind,
               fmt::format(R"({{"metadata":{{"name":"{}","namespace":"default"{}}},"spec":{}}})",
                           name, owners, blank));
    }
    // As its reconciler, and that of its Volume, would say.
    void become_ready(const std::string& name) {
        auto volume = *read(api::data_volume_kind, name);
        auto status = Json::object({{"phase", "Succeeded"}});
        Condition ready{"Ready", yes, "Succeeded", {}};
        set_condition(status, volume, ready, "2026-01-01T00:00:00Z");
        get(client_.set_status(api::data_volume_kind, volume, std::move(status)));
    }
    void remove_machine(api::Propagation propagation) {
        api::DeleteOptions options;
        options.propagation = propagation;
        ObjectKey key{"default", "m"};
        get(objects_.remove(key.place(api::virtual_machine_kind), std::move(options)));
    }
    std::string owner_of(const api::Kind& kind, const std::string& name) {
        const auto object = read(kind, name);
        const auto* owners = object ? object->at({"metadata", "ownerReferences"}) : nullptr;
        return owners ? std::string{owners->array()->front().text_at({"name"})} : "";
    }
    void hold(const std::string& name) {
        auto volume = *read(api::data_volume_kind, name);
        get(client_.add_finalizer(api::data_volume_kind, volume, "test/held"));
    }
    void let_go(const std::string& name) {
        auto volume = *read(api::data_volume_kind, name);
        get(client_.remove_finalizer(api::data_volume_kind, volume, "test/held"));
    }

    static constexpr auto with_volumes =
        R"({"domain":{"memory":{"guest":"64Mi"},"devices":{}},"volumes":[
            {"name":"x","dataVolume":{"name":"a"}},
            {"name":"y","persistentVolumeClaim":{"claimName":"b"}}]})";
    static constexpr auto blank =
        R"({"source":{"blank":{}},"storage":{"resources":{"requests":{"storage":"1Mi"}}}})";
};

TEST_F(MachineVolumesTest, AreMadeForItAndWaitedFor) {
    machine_with_volumes();
    pass(1s);
    EXPECT_EQ(owner_of(api::data_volume_kind, "a"), "m");
    EXPECT_EQ(read(api::data_volume_kind, "a")->text_at({"metadata", "labels", "l"}), "1");
    EXPECT_EQ(read(api::data_volume_kind, "b")
                  ->text_at({"spec", "storage", "resources", "requests", "storage"}),
              "1Mi");
    EXPECT_EQ(phase(), "none");
    EXPECT_EQ(told(), "Provisioning");
    EXPECT_EQ(reason(api::virtual_machine_kind, "m", "Ready"), "NotAllDVsReady");
    become_ready("a");
    pass(1s);
    EXPECT_EQ(phase(), "none");
    become_ready("b");
    pass(1s);
    EXPECT_EQ(told(), "Running");
    EXPECT_EQ(condition(api::virtual_machine_kind, "m", "DataVolumesReady"), "True");
}

TEST_F(MachineVolumesTest, AreMadeAlsoForOneThatIsHalted) {
    machine_with_volumes("Halted");
    pass(1s);
    become_ready("a");
    become_ready("b");
    pass(1s);
    EXPECT_EQ(told(), "Stopped");
    EXPECT_EQ(phase(), "none");
}

TEST_F(MachineVolumesTest, OneThatIsAnotherOnesIsLeftAloneAndWaitedFor) {
    data_volume("a");
    become_ready("a");
    machine_with_volumes();
    pass(1s);
    become_ready("b");
    pass(1s);
    EXPECT_EQ(told(), "DataVolumeError");
    EXPECT_EQ(reason(api::virtual_machine_kind, "m", "Failure"), "NameTaken");
    EXPECT_EQ(owner_of(api::data_volume_kind, "a"), "");
    remove(api::data_volume_kind, "a");
    pass(1s);
    EXPECT_EQ(owner_of(api::data_volume_kind, "a"), "m");
    EXPECT_EQ(condition(api::virtual_machine_kind, "m", "Failure"), "");
    become_ready("a");
    pass(1s);
    EXPECT_EQ(told(), "Running");
    data_volume("strange");
    remove_machine(api::Propagation::background);
    pass(1s);
    EXPECT_EQ(told(), "none");
    EXPECT_FALSE(read(api::data_volume_kind, "a"));
    EXPECT_FALSE(read(api::data_volume_kind, "b"));
    EXPECT_TRUE(read(api::data_volume_kind, "strange"));
}

TEST_F(MachineVolumesTest, GoInTheBackgroundWithoutHoldingItUp) {
    machine_with_volumes("Halted");
    pass(1s);
    hold("a");
    remove_machine(api::Propagation::background);
    pass(1s);
    EXPECT_EQ(told(), "none");
    EXPECT_TRUE(api::is_terminating(*read(api::data_volume_kind, "a")));
    EXPECT_FALSE(read(api::data_volume_kind, "b"));
}

TEST_F(MachineVolumesTest, GoBeforeItWhereThatIsAskedFor) {
    machine_with_volumes("Halted");
    pass(1s);
    hold("a");
    remove_machine(api::Propagation::foreground);
    pass(1s);
    EXPECT_EQ(told(), "Terminating");
    let_go("a");
    pass(1s);
    EXPECT_EQ(told(), "none");
}

TEST_F(MachineVolumesTest, StayWithTheInstanceAsOrphans) {
    machine_with_volumes();
    pass(1s);
    become_ready("a");
    become_ready("b");
    pass(1s);
    remove_machine(api::Propagation::orphan);
    pass(1s);
    EXPECT_EQ(told(), "none");
    EXPECT_EQ(phase(), "Running");
    EXPECT_EQ(owner_of(api::virtual_machine_instance_kind, "m"), "");
    for (const auto* name : {"a", "b"}) {
        ASSERT_TRUE(read(api::data_volume_kind, name)) << name;
        EXPECT_EQ(owner_of(api::data_volume_kind, name), "");
    }
}

TEST_F(MachineVolumesTest, OneWithAnotherOwnerBesidesStays) {
    machine_with_volumes("Halted");
    pass(1s);
    auto volume = *read(api::data_volume_kind, "a");
    volume["metadata"]["ownerReferences"].array()->push_back(
        Json::object({{"apiVersion", "v1"}, {"kind", "X"}, {"name", "other"}, {"uid", "u"}}));
    get(client_.replace(api::data_volume_kind, volume));
    remove_machine(api::Propagation::background);
    pass(1s);
    EXPECT_EQ(told(), "none");
    EXPECT_EQ(owner_of(api::data_volume_kind, "a"), "other");
    EXPECT_FALSE(read(api::data_volume_kind, "b"));
}

TEST_F(MachineVolumesTest, KilledAtAnyPointTheyConverge) {
    bool killed = true;
    for (std::uint64_t left = 1; killed; ++left) {
        SCOPED_TRACE(left);
        ASSERT_LT(left, 100U);
        machine_with_volumes("Halted");
        pass(1s, {.left = left});
        killed = used_.over();
        pass(15s);
        EXPECT_EQ(owner_of(api::data_volume_kind, "a"), "m");
        EXPECT_EQ(owner_of(api::data_volume_kind, "b"), "m");
        remove_machine(api::Propagation::background);
        pass(1s, {.left = left});
        pass(15s);
        EXPECT_EQ(told(), "none");
        EXPECT_TRUE(get(client_.keys(api::data_volume_kind)).empty());
    }
}

}  // namespace
}  // namespace sheaf::control

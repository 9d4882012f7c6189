#include "control/instance_reconciler.h"

#include "unit/control/machine_world.h"

namespace sheaf::control {
namespace {

class InstanceReconcilerTest : public MachinesWorld {};

TEST_F(InstanceReconcilerTest, RunsOnceAndIsTold) {
    machine("Always");
    pass(1s);
    ASSERT_EQ(host_.machines.size(), 1u);
    EXPECT_EQ(host_.started.begin()->second, 1);
    EXPECT_EQ(host_.files.begin()->second.name, "default/m");
    EXPECT_EQ(phase(), "Running");
    EXPECT_EQ(told(), "Running");
    EXPECT_EQ(condition(api::virtual_machine_kind, "m", "Ready"), "True");
    pass(1s);
    EXPECT_EQ(host_.started.size(), 1u) << "another process starts nothing";
}

TEST_F(InstanceReconcilerTest, AnEndThatNobodySawIsTold) {
    machine("Once");
    pass(1s);
    end("panicked");
    pass(1s);
    EXPECT_EQ(phase(), "Failed");
    const auto object = read(api::virtual_machine_instance_kind, "m");
    EXPECT_EQ(object->text_at({"status", "ending", "how"}), "Panicked");
    EXPECT_EQ(host_.started.size(), 1u);
}

TEST_F(InstanceReconcilerTest, AlwaysBeginsAnewAndLaterEachTime) {
    machine("Always");
    pass(1s);
    for (std::size_t lives = 1; lives < 4; ++lives) {
        end("panicked");
        pass(10s);
        EXPECT_EQ(host_.started.size(), lives + 1);
        EXPECT_EQ(host_.machines.size(), 1u) << "nothing is left of the one before";
        EXPECT_EQ(phase(), "Running");
    }
    end("panicked");
    pass(2s);
    EXPECT_EQ(told(), "CrashLoopBackOff");
    EXPECT_EQ(host_.started.size(), 4u);
    pass(5s);
    EXPECT_EQ(host_.started.size(), 5u);
}

TEST_F(InstanceReconcilerTest, DeletionEndsItWithItsGraceAndLeavesNothing) {
    machine("Always", R"({"domain":{"memory":{"guest":"64Mi"},"devices":{}},
                          "terminationGracePeriodSeconds":7})");
    pass(1s);
    remove(api::virtual_machine_kind, "m");
    pass(1s);
    EXPECT_EQ(told(), "none");
    EXPECT_EQ(phase(), "none");
    EXPECT_TRUE(host_.machines.empty());
    EXPECT_EQ(host_.graces, std::vector{7s});
}

TEST_F(InstanceReconcilerTest, WhatItNeedsIsWaitedFor) {
    machine("Always", R"({"domain":{"memory":{"guest":"64Mi"},"devices":{"disks":[{"name":"d"}]}},
                          "volumes":[{"name":"d","dataVolume":{"name":"v"}}]})");
    pass(1s);
    EXPECT_EQ(phase(), "Pending");
    EXPECT_EQ(reason(api::virtual_machine_instance_kind, "m", "Ready"), "WaitsForObjects");
    auto volume = create(api::volume_kind, R"({"metadata":{"name":"v","namespace":"default"},
                                               "spec":{"size":"1Mi"}})");
    auto status = Json::object({});
    Condition ready{"Ready", yes, "Ready", {}};
    set_condition(status, volume, ready, "2026-01-01T00:00:00Z");
    get(client_.set_status(api::volume_kind, volume, std::move(status)));
    pass(1s);
    EXPECT_EQ(phase(), "Running");
    ASSERT_EQ(host_.files.size(), 1u);
    EXPECT_EQ(host_.files.begin()->second.disks.at(0).pool, "/pool");
}

TEST_F(InstanceReconcilerTest, AnInterfaceIsATapThatComesAndGoesWithTheMachine) {
    auto network =
        create(api::network_kind, R"({"metadata":{"name":"default","namespace":"default"},
                                                 "spec":{"bridge":{"name":"br"}}})");
    auto status = Json::object({{"bridge", "br"}});
    Condition ready{"Ready", yes, "Found", {}};
    set_condition(status, network, ready, "2026-01-01T00:00:00Z");
    get(client_.set_status(api::network_kind, network, std::move(status)));
    machine("Always");
    pass(1s);
    ASSERT_EQ(host_.files.size(), 1u);
    const auto& [uid, file] = *host_.files.begin();
    EXPECT_EQ(host_.taps, std::set{tap_name(uid, 0) + " in br"});
    EXPECT_EQ(file.nets.at(0).tap, tap_name(uid, 0));
    const auto mac = file.nets.at(0).mac;
    end("powered_off");
    pass(5s);
    ASSERT_EQ(host_.files.size(), 2u);
    EXPECT_EQ(host_.taps.size(), 1u);
    for (const auto& [other, next] : host_.files) EXPECT_EQ(next.nets.at(0).mac, mac);
    remove(api::virtual_machine_kind, "m");
    pass(1s);
    EXPECT_TRUE(host_.taps.empty());
}

TEST_F(InstanceReconcilerTest, WhatWaitingDoesNotHelpFails) {
    machine("Once", R"({"domain":{"memory":{"guest":"1Mi"},"devices":{}}})");
    pass(1s);
    EXPECT_EQ(phase(), "Failed");
    EXPECT_TRUE(host_.machines.empty());
}

TEST_F(InstanceReconcilerTest, AMachineWithoutAnObjectIsEnded) {
    machine("Once");
    pass(1s);
    auto object = *read(api::virtual_machine_instance_kind, "m");
    get(client_.remove_finalizer(api::virtual_machine_instance_kind, object,
                                 std::string{InstanceReconciler::finalizer}));
    remove(api::virtual_machine_instance_kind, "m");
    ASSERT_EQ(phase(), "none");
    pass(1s);
    EXPECT_EQ(host_.graces.size(), 1u);
    EXPECT_TRUE(host_.machines.empty());
}

// Wherever a process is killed, the next one finds its way, and no machine runs twice.
TEST_F(InstanceReconcilerTest, KilledAtAnyPointItConverges) {
    machine("Always");
    pass(2s);
    const auto most = used_.used + 10;
    remove(api::virtual_machine_kind, "m");
    pass(2s);
    for (std::uint64_t left = 1; left < most; ++left) {
        SCOPED_TRACE(left);
        machine("Always");
        pass(1s, {.left = left});
        pass(15s);
        EXPECT_EQ(host_.machines.size(), 1u);
        EXPECT_EQ(phase(), "Running");
        for (const auto& [uid, times] : host_.started) EXPECT_EQ(times, 1);
        remove(api::virtual_machine_kind, "m");
        pass(1s, {.left = left});
        pass(15s);
        EXPECT_EQ(told(), "none");
        EXPECT_TRUE(host_.machines.empty());
        host_.started.clear();
    }
}

}  // namespace
}  // namespace sheaf::control

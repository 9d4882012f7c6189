#include <gtest/gtest.h>

#include "control/machine_reconciler.h"

namespace sheaf::control {
namespace {

Json machine(const char* strategy) {
    auto spec = Json::object({{"runStrategy", strategy}});
    return Json::object({{"metadata", Json::object({})}, {"spec", std::move(spec)}});
}

std::optional<Json> instance(const char* phase, const char* uid = "i") {
    return Json::object(
        {{"metadata", Json::object({{"uid", uid}})}, {"status", Json::object({{"phase", phase}})}});
}

MachineStep step(const char* strategy, const std::optional<Json>& there, Json status = {}) {
    return next_step(machine(strategy), status, there);
}

Json requests(std::initializer_list<Json> list) {
    return Json::object({{"stateChangeRequests", Json::Array{list}}});
}
Json stop_of(const char* uid) {
    return Json::object({{"action", "Stop"}, {"uid", uid}});
}
Json start_one() {
    return Json::object({{"action", "Start"}});
}

TEST(MachineStep, AlwaysHasOneThatRuns) {
    EXPECT_EQ(step("Always", {}), MachineStep::start);
    EXPECT_EQ(step("Always", instance("Running")), MachineStep::none);
    EXPECT_EQ(step("Always", instance("Pending")), MachineStep::none);
    EXPECT_EQ(step("Always", instance("Succeeded")), MachineStep::stop);
    EXPECT_EQ(step("Always", instance("Failed")), MachineStep::stop);
}

TEST(MachineStep, HaltedHasNone) {
    EXPECT_EQ(step("Halted", {}), MachineStep::none);
    for (const auto* phase : {"Pending", "Running", "Succeeded", "Failed"})
        EXPECT_EQ(step("Halted", instance(phase)), MachineStep::stop) << phase;
}

TEST(MachineStep, RerunOnFailureLetsSuccessBe) {
    EXPECT_EQ(step("RerunOnFailure", {}), MachineStep::start);
    EXPECT_EQ(step("RerunOnFailure", instance("Succeeded")), MachineStep::none);
    EXPECT_EQ(step("RerunOnFailure", instance("Failed")), MachineStep::stop);
}

TEST(MachineStep, OnceIsNotTwice) {
    EXPECT_EQ(step("Once", {}), MachineStep::start);
    EXPECT_EQ(step("Once", {}, Json::object({{"lastInstance", "i"}})), MachineStep::none);
    for (const auto* phase : {"Running", "Succeeded", "Failed"})
        EXPECT_EQ(step("Once", instance(phase)), MachineStep::none) << phase;
}

TEST(MachineStep, ManualWaitsForRequests) {
    EXPECT_EQ(step("Manual", {}), MachineStep::none);
    EXPECT_EQ(step("Manual", {}, requests({start_one()})), MachineStep::start);
    EXPECT_EQ(step("Manual", instance("Failed"), requests({start_one()})), MachineStep::stop);
    EXPECT_EQ(step("Manual", instance("Running"), requests({stop_of("i")})), MachineStep::stop);
}

TEST(MachineStep, RunningIsTheOlderWayToSayIt) {
    auto status = Json::object({});
    auto older = machine("");
    older["spec"] = Json::object({{"running", true}});
    EXPECT_EQ(next_step(older, status, {}), MachineStep::start);
    older["spec"] = Json::object({{"running", false}});
    EXPECT_EQ(next_step(older, status, instance("Running")), MachineStep::stop);
}

TEST(MachineStep, ARequestThatIsFulfilledGoes) {
    auto status = requests({stop_of("old"), start_one()});
    EXPECT_EQ(next_step(machine("Manual"), status, instance("Running", "old")), MachineStep::stop);
    EXPECT_EQ(status, requests({stop_of("old"), start_one()})) << "it is under way";
    EXPECT_EQ(next_step(machine("Manual"), status, {}), MachineStep::start);
    EXPECT_EQ(status, requests({start_one()}));
    EXPECT_EQ(next_step(machine("Manual"), status, instance("Pending", "new")), MachineStep::none);
    EXPECT_FALSE(status.find("stateChangeRequests"));
}

TEST(MachineStep, ARequestAboutAnotherInstanceIsForgotten) {
    auto status = requests({stop_of("old")});
    EXPECT_EQ(next_step(machine("Manual"), status, instance("Running", "new")), MachineStep::none);
    EXPECT_FALSE(status.find("stateChangeRequests"));
    status = requests({Json::object({{"action", "Levitate"}})});
    EXPECT_EQ(next_step(machine("Manual"), status, {}), MachineStep::none);
    EXPECT_FALSE(status.find("stateChangeRequests"));
}

TEST(MachineStep, ItIsToldInKubeVirtsWords) {
    const auto told = [](const std::optional<Json>& there) {
        return printable_status(machine("Always"), Json::object({}), there);
    };
    EXPECT_EQ(told({}), "Starting");
    EXPECT_EQ(told(instance("Pending")), "Provisioning");
    EXPECT_EQ(told(instance("Scheduled")), "Starting");
    EXPECT_EQ(told(instance("Running")), "Running");
    EXPECT_EQ(told(instance("Succeeded")), "Stopped");
    auto ending = instance("Running");
    (*ending)["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
    EXPECT_EQ(told(ending), "Stopping");
}

}  // namespace
}  // namespace sheaf::control

// What a machine's instance is to do, by values alone.

#include "api/kinds.h"
#include "control/machine_reconciler.h"

namespace sheaf::control {

namespace {

std::string_view strategy_of(const Json& machine) {
    if (const auto* running = machine.at({"spec", "running"}))
        return running->boolean() && *running->boolean() ? "Always" : "Halted";
    return machine.text_at({"spec", "runStrategy"});
}

Json* first_request(Json& status) {
    auto* requests = status.find("stateChangeRequests");
    if (!requests || !requests->array() || requests->array()->empty()) return nullptr;
    return &requests->array()->front();
}

void drop_first_request(Json& status) {
    auto& requests = *status["stateChangeRequests"].array();
    requests.erase(requests.begin());
    if (requests.empty()) status.erase("stateChangeRequests");
}

bool has_ended(const Json& instance) {
    const auto phase = instance.text_at({"status", "phase"});
    return phase == "Succeeded" || phase == "Failed";
}

// A request is about the instance that its client saw; none: about whichever there is.
bool is_about(const Json& request, const Json& instance) {
    const auto uid = request.text_at({"uid"});
    return uid.empty() || uid == instance.text_at({"metadata", "uid"});
}

// What the strategy says where nobody has asked for anything.
MachineStep step_by_strategy(std::string_view strategy, const Json& status,
                             const std::optional<Json>& instance) {
    if (strategy == "Halted") return instance ? MachineStep::stop : MachineStep::none;
    if (!instance) {
        if (strategy == "Always" || strategy == "RerunOnFailure") return MachineStep::start;
        // Once: it has been there, and is not started a second time.
        const bool began = !status.text_at({"lastInstance"}).empty();
        return strategy == "Once" && !began ? MachineStep::start : MachineStep::none;
    }
    if (!has_ended(*instance)) return MachineStep::none;
    const bool failed = instance->text_at({"status", "phase"}) == "Failed";
    const bool anew = strategy == "Always" || (strategy == "RerunOnFailure" && failed);
    return anew ? MachineStep::stop : MachineStep::none;
}

}  // namespace

MachineStep next_step(const Json& machine, Json& status, const std::optional<Json>& instance) {
    while (const auto* request = first_request(status)) {
        if (request->text_at({"action"}) == "Stop") {
            if (instance && is_about(*request, *instance)) return MachineStep::stop;
        } else if (request->text_at({"action"}) == "Start") {
            if (!instance) return MachineStep::start;
            // One that has ended makes room first.
            if (has_ended(*instance)) return MachineStep::stop;
        }
        drop_first_request(status);
    }
    return step_by_strategy(strategy_of(machine), status, instance);
}

std::string_view printable_status(const Json& machine, const Json& status,
                                  const std::optional<Json>& instance) {
    if (api::is_terminating(machine)) return "Terminating";
    if (!instance) {
        if (const auto* volumes = find_condition(status, "DataVolumesReady");
            volumes && volumes->text_at({"status"}) == no)
            return volumes->text_at({"reason"}) == "DataVolumeError" ? "DataVolumeError"
                                                                     : "Provisioning";
        if (status.at({"startFailure", "retryAfterTimestamp"})) return "CrashLoopBackOff";
        const auto strategy = strategy_of(machine);
        return strategy == "Always" || strategy == "RerunOnFailure" ? "Starting" : "Stopped";
    }
    if (api::is_terminating(*instance)) return "Stopping";
    const auto phase = instance->text_at({"status", "phase"});
    if (phase == "Running") return is_condition(*instance, "Paused", yes) ? "Paused" : "Running";
    if (phase == "Succeeded") return "Stopped";
    if (phase == "Failed") return "Failed";
    if (phase == "Pending") return "Provisioning";
    return "Starting";
}

}  // namespace sheaf::control

#include "control/instance_reconciler.h"

#include <array>

#include "api/kinds.h"

namespace sheaf::control {

namespace {

bool is_final(std::string_view phase) {
    return phase == "Succeeded" || phase == "Failed";
}

std::chrono::seconds grace_of(const Json& object) {
    const auto* grace = object.at({"spec", "terminationGracePeriodSeconds"});
    const auto seconds = grace ? grace->integer() : std::nullopt;
    return seconds ? std::chrono::seconds{*seconds} : InstanceReconciler::default_grace;
}

// A reason as Kubernetes writes it: "powered_off" is "PoweredOff".
std::string camel_case(std::string_view words) {
    std::string text;
    bool begins = true;
    for (const char letter : words) {
        if (letter != '_')
            text += begins && letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A')
                                                             : letter;
        begins = letter == '_';
    }
    return text;
}

std::string sentence_of(const node::ExitReport& report) {
    if (report.detail.empty()) return "the machine has ended: " + report.how;
    return "the machine has ended: " + report.how + ": " + report.detail;
}

}  // namespace

// `reason` lives as long as the program where it is a literal; that of an ending is in the message.
Outcome outcome_of_machine(const node::SupervisedMachine& machine) {
    if (machine.report) {
        const auto& how = machine.report->how;
        const bool well = how == "powered_off" || how == "reset" || how == "forced_off";
        return {.phase = well ? "Succeeded" : "Failed",
                .ready = no,
                .reason = well ? "GuestNotRunning" : "MachineFailed",
                .message = sentence_of(*machine.report)};
    }
    if (!machine.status)
        return {.phase = "Scheduled",
                .ready = no,
                .reason = machine.trouble.empty() ? "Starting" : "KeeperUnreachable",
                .message = machine.trouble};
    switch (machine.status->state) {
        case node::MachineState::running:
            return {.phase = "Running", .ready = yes, .reason = "Running", .message = {}};
        case node::MachineState::paused:
            return {.phase = "Running",
                    .ready = no,
                    .reason = "Paused",
                    .message = "a client asked for it"};
        case node::MachineState::starting:
            return {.phase = machine.status->reboots > 0 ? "Running" : "Scheduled",
                    .ready = no,
                    .reason = "Starting",
                    .message = {}};
        case node::MachineState::ended: break;
    }
    return {.phase = "Running", .ready = no, .reason = "Ending", .message = {}};
}

const api::Kind& InstanceReconciler::kind() const {
    return api::virtual_machine_instance_kind;
}

std::span<const api::Kind* const> InstanceReconciler::watched() const {
    static constexpr auto kinds = std::to_array<const api::Kind*>(
        {&api::volume_kind, &api::image_kind, &api::secret_kind, &api::network_kind});
    return kinds;
}

io::Task<std::vector<ObjectKey>> InstanceReconciler::affected(const api::Kind& kind,
                                                              ObjectKey changed, const Json*) {
    co_return dependents_.of(kind, changed);
}

io::Task<LookAgain> InstanceReconciler::reconcile(ObjectKey key, std::optional<Json> object) {
    dependents_.forget(key);
    const auto uid = object ? std::string{object->text_at({"metadata", "uid"})} : std::string{};
    co_await end_strangers(key, uid);
    if (!object) co_return std::nullopt;
    if (api::is_terminating(*object)) {
        co_await end(*std::move(object));
    } else {
        co_await run(*std::move(object));
    }
    co_return std::nullopt;
}

// A machine whose object is gone, as when somebody took its finalizer away, has nobody who wants
// it.
io::Task<void> InstanceReconciler::end_strangers(ObjectKey key, std::string uid) {
    std::vector<std::pair<std::string, std::size_t>> strangers;
    for (const auto* machine : around_.host.all())
        if (machine->name == key.text() && machine->uid != uid)
            strangers.emplace_back(machine->uid, machine->taps);
    for (const auto& [stranger, taps] : strangers) {
        auto ending = end_machine(stranger, default_grace, taps);
        static_cast<void>(co_await std::move(ending));
    }
}

io::Task<void> InstanceReconciler::run(Json object) {
    const std::string uid{object.text_at({"metadata", "uid"})};
    co_await around_.client.add_finalizer(kind(), object, std::string{finalizer});
    if (!around_.host.find(uid)) {
        // One that has ended once is not started again: another instance is.
        if (is_final(object.text_at({"status", "phase"}))) co_return;
        co_await start(object);
    }
    if (const auto* machine = around_.host.find(uid)) {
        const auto known = *machine;
        co_await tell(object, known);
    }
}

io::Task<void> InstanceReconciler::start(Json& object) {
    auto started = Result<void>{};
    auto plan = co_await planner_.plan(object).result();
    const bool planned = plan.has_value();
    if (planned) {
        started = co_await launch(*std::move(plan)).result();
    } else {
        started = Failure{plan.error()};
    }
    if (started) co_return;
    const auto& error = started.error();
    if (error.kind() == sheaf::Kind::cancelled) co_await started;
    auto outcome = outcome_of(error);
    if (outcome.phase != "Failed") outcome.phase = "Pending";
    const bool waits = !planned && error.kind() == sheaf::Kind::unavailable;
    if (waits) outcome.reason = "WaitsForObjects";
    const bool final = outcome.phase == "Failed";
    co_await tell(object, std::move(outcome), false);
    // What waits for another object is looked at when that changes.
    if (!waits && !final) co_await started;
}

// Taps first: a keeper opens them by name. Where it is not started they go with its object.
io::Task<void> InstanceReconciler::launch(MachinePlanner::Planned planned) {
    for (auto& tap : planned.taps) co_await around_.links.provide_tap(std::move(tap));
    co_await around_.host.start(std::move(planned.machine));
}

io::Task<void> InstanceReconciler::remove_taps(std::string uid, std::size_t count) {
    for (std::size_t number = 0; number < count; ++number)
        co_await around_.links.remove_tap(tap_name(uid, number), alias_of(uid));
}

io::Task<void> InstanceReconciler::tell(Json& object, const node::SupervisedMachine& machine) {
    const bool paused = machine.status && machine.status->state == node::MachineState::paused;
    auto status = status_of(object);
    if (machine.report) {
        status["ending"] = Json::object({{"how", camel_case(machine.report->how)},
                                         {"detail", machine.report->detail},
                                         {"startedAt", machine.report->started_at},
                                         {"endedAt", machine.report->ended_at}});
        object["status"] = std::move(status);
    }
    co_await tell(object, outcome_of_machine(machine), paused);
}

io::Task<void> InstanceReconciler::tell(Json& object, Outcome outcome, bool paused) {
    auto status = status_of(object);
    if (outcome.phase != "Pending") status["nodeName"] = around_.node;
    if (paused) {
        Condition condition{"Paused", yes, "PausedByUser", "its processors are held"};
        set_condition(status, object, condition, around_.client.time());
    } else {
        remove_condition(status, "Paused");
    }
    co_await tell_outcome(around_.client, around_.events, kind(), object, std::move(status),
                          std::move(outcome));
}

io::Task<void> InstanceReconciler::end(Json object) {
    if (!has_finalizer(object, finalizer)) co_return;
    const std::string uid{object.text_at({"metadata", "uid"})};
    if (co_await end_machine(uid, grace_of(object), count_of_taps(object)))
        co_await around_.client.remove_finalizer(kind(), object, std::string{finalizer});
}

// One that is on its way is heard of when it has ended.
io::Task<bool> InstanceReconciler::end_machine(std::string uid, std::chrono::seconds grace,
                                               std::size_t taps) {
    const auto* machine = around_.host.find(uid);
    if (!machine || machine->report) {
        co_await remove_taps(uid, taps);
        co_await around_.host.remove(uid);
        co_return true;
    }
    if (machine->status && machine->status->stopping) co_return false;
    auto asking = grace.count() > 0 ? around_.host.press_power_button(uid, grace)
                                    : around_.host.force_off(uid);
    auto asked = co_await std::move(asking).result();
    // It has ended meanwhile, or is just being started: that is heard of.
    if (!asked && asked.error().kind() != sheaf::Kind::conflict) co_await asked;
    co_return false;
}

}  // namespace sheaf::control

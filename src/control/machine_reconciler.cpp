#include "control/machine_reconciler.h"

#include <algorithm>
#include <array>

#include "api/kinds.h"
#include "control/owned_object.h"

namespace sheaf::control {

namespace {

using std::chrono::seconds;

std::int64_t number_at(const Json& object, Json::Names path) {
    const auto* number = object.at(path);
    return number ? number->integer().value_or(0) : 0;
}

// As the API writes it, and back; nothing where it is none.
std::optional<std::chrono::sys_seconds> parse_time(std::string_view text) {
    std::tm parts{};
    const std::string whole{text};
    if (whole.empty() || !::strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts)) return {};
    return std::chrono::sys_seconds{seconds{::timegm(&parts)}};
}

// How long the next start has to wait, counted from the end of the last instance.
seconds pause_after(std::int64_t short_lives) {
    if (short_lives <= 1) return seconds{0};
    const auto doublings = std::min<std::int64_t>(short_lives - 2, 10);
    return std::min(MachineReconciler::longest_pause,
                    MachineReconciler::first_pause * (std::int64_t{1} << doublings));
}

// Notes that an instance has ended, and when the next may begin.
void note_end(Json& status, const Json& instance, std::string_view now_text) {
    const auto now = parse_time(now_text);
    const auto began = parse_time(instance.text_at({"metadata", "creationTimestamp"}));
    const bool lived = now && began && *now - *began >= MachineReconciler::long_life;
    const auto lives = lived ? 1 : number_at(status, {"startFailure", "consecutiveFailCount"}) + 1;
    auto failure = Json::object({{"consecutiveFailCount", lives},
                                 {"lastFailedVMIUID", instance.text_at({"metadata", "uid"})}});
    const auto pause = pause_after(lives);
    if (now && pause.count() > 0) failure["retryAfterTimestamp"] = api::time_text(*now + pause);
    status["startFailure"] = std::move(failure);
    if (const auto* ending = instance.at({"status", "ending"})) status["lastEnding"] = *ending;
}

void note_volumes(Json& status, const Json& machine, const VolumesOutcome& volumes,
                  std::string_view time) {
    if (volumes.refused.empty()) {
        remove_condition(status, "Failure");
    } else {
        Condition refused{"Failure", yes, volumes.refusal, volumes.refused};
        set_condition(status, machine, refused, time);
    }
    if (!volumes.any) return remove_condition(status, "DataVolumesReady");
    const auto reason = volumes.ready    ? "AllDVsReady"
                        : volumes.failed ? "DataVolumeError"
                                         : "NotAllDVsReady";
    Condition ready{"DataVolumesReady", volumes.ready ? yes : no, reason, volumes.message};
    set_condition(status, machine, ready, time);
}

}  // namespace

const api::Kind& MachineReconciler::kind() const {
    return api::virtual_machine_kind;
}

std::span<const api::Kind* const> MachineReconciler::watched() const {
    static constexpr auto kinds = std::to_array<const api::Kind*>(
        {&api::virtual_machine_instance_kind, &api::data_volume_kind, &api::virtual_machine_kind});
    return kinds;
}

// An instance is called as its machine.
io::Task<std::vector<ObjectKey>> MachineReconciler::affected(const api::Kind& kind,
                                                             ObjectKey changed, const Json*) {
    if (&kind != &api::virtual_machine_instance_kind) co_return dependents_.of(kind, changed);
    co_return std::vector<ObjectKey>{std::move(changed)};
}

io::Task<LookAgain> MachineReconciler::reconcile(ObjectKey key, std::optional<Json> object) {
    dependents_.forget(key);
    if (!object || api::is_terminating(*object)) {
        order_.forget(key);
        if (object) co_await end(*std::move(object));
        co_return std::nullopt;
    }
    if (!expects_all_) co_await expect_all();
    const auto priority = StartOrder::priority_of(*object);
    auto outcome = co_await run(*std::move(object)).result();
    // Who cannot be started holds nobody up; a conflict is soon tried again.
    if (!outcome && outcome.error().kind() != Kind::conflict) order_.note(key, priority, false);
    co_return co_await std::move(outcome);
}

// Each is looked at soon, and until then whoever is to run may be about to start.
io::Task<void> MachineReconciler::expect_all() {
    const auto all = co_await client_.list(kind());
    for (const auto& machine : all) {
        auto status = status_of(machine);
        const bool wanted = next_step(machine, status, std::nullopt) == MachineStep::start;
        order_.expect(key_of(machine), StartOrder::priority_of(machine), wanted);
    }
    expects_all_ = true;
}

bool MachineReconciler::is_about_to_start(const Json& object, const Json& status,
                                          const std::optional<Json>& instance) const {
    const auto phase = instance ? instance->text_at({"status", "phase"}) : std::string_view{};
    const auto* known =
        instance ? host_.find(std::string{instance->text_at({"metadata", "uid"})}) : nullptr;
    // Of a host that was started anew the status is still that of before.
    const bool ended = phase == "Succeeded" || phase == "Failed" || (known && known->report);
    if (instance && !ended && !api::is_terminating(*instance)) {
        if (phase.empty()) return true;
        return phase == "Scheduled" && !(known && !known->trouble.empty());
    }
    const auto* volumes = find_condition(status, "DataVolumesReady");
    if (volumes && volumes->text_at({"status"}) == no) return false;
    if (status.at({"startFailure", "retryAfterTimestamp"})) return false;
    auto requests = status;
    return next_step(object, requests, std::nullopt) == MachineStep::start;
}

io::Task<LookAgain> MachineReconciler::run(Json object) {
    const auto key = key_of(object);
    const auto& instances = api::virtual_machine_instance_kind;
    co_await client_.add_finalizer(kind(), object, std::string{finalizer});
    auto instance = co_await client_.get(instances, key);
    auto status = status_of(object);
    const auto priority = StartOrder::priority_of(object);
    if (instance && !is_owned(*instance, object)) {
        order_.note(key, priority, false);
        Condition condition{"Failure", yes, "NameTaken",
                            "an instance of this name is there that is not this machine's"};
        set_condition(status, object, condition, client_.time());
        co_await client_.set_status(kind(), object, std::move(status));
        co_return std::nullopt;
    }
    const auto volumes = co_await volumes_.provide(object);
    note_volumes(status, object, volumes, client_.time());
    const auto step = next_step(object, status, instance);
    order_.note(key, priority, is_about_to_start(object, status, instance));
    auto again = LookAgain{};
    std::string waits_for;
    const auto first = order_.before(key);
    if (step == MachineStep::start && volumes.ready && first) {
        dependents_.wait(key, kind(), *first);
        again = turn_interval;
        waits_for = first->text();
    } else if (step == MachineStep::start && volumes.ready) {
        again = co_await start(object, status);
        instance = co_await client_.get(instances, key);
    } else if (step == MachineStep::stop && !api::is_terminating(*instance)) {
        co_await stop(object, status, *instance);
        instance = co_await client_.get(instances, key);
    }
    order_.note(key, priority, is_about_to_start(object, status, instance));
    co_await tell(std::move(object), std::move(status), instance, std::move(waits_for));
    co_return again;
}

io::Task<void> MachineReconciler::stop(Json& object, Json& status, const Json& instance) {
    std::string uid{instance.text_at({"metadata", "uid"})};
    const auto phase = instance.text_at({"status", "phase"});
    const bool ended = phase == "Succeeded" || phase == "Failed";
    if (ended && status.text_at({"startFailure", "lastFailedVMIUID"}) != uid)
        note_end(status, instance, client_.time());
    // What was noted is kept before the instance that it is about goes.
    co_await client_.set_status(kind(), object, status);
    co_await client_.remove(api::virtual_machine_instance_kind, key_of(instance), std::move(uid));
}

// Where it ended soon, and again, later each time.
io::Task<LookAgain> MachineReconciler::start(Json& object, Json& status) {
    const auto now = parse_time(client_.time());
    const auto later = parse_time(status.text_at({"startFailure", "retryAfterTimestamp"}));
    if (now && later && *now < *later) co_return LookAgain{*later - *now};
    if (auto* failure = status.find("startFailure")) failure->erase("retryAfterTimestamp");
    const auto made = co_await make_instance(object);
    status["lastInstance"] = made.text_at({"metadata", "uid"});
    Event event{normal, "SuccessfulCreate", "a virtual machine instance was made"};
    co_await events_.record(kind(), object, std::move(event));
    co_return std::nullopt;
}

io::Task<Json> MachineReconciler::make_instance(const Json& object) {
    auto metadata = Json::object({{"name", object.text_at({"metadata", "name"})},
                                  {"namespace", object.text_at({"metadata", "namespace"})}});
    for (const std::string_view member : {"labels", "annotations"})
        if (const auto* given = object.at({"spec", "template", "metadata", member}))
            metadata[member] = *given;
    Json::Array owners;
    owners.push_back(owner_reference(kind(), object));
    metadata["ownerReferences"] = std::move(owners);
    auto instance = Json::object({{"metadata", std::move(metadata)}});
    instance["spec"] = *object.at({"spec", "template", "spec"});
    co_return co_await client_.create(api::virtual_machine_instance_kind, std::move(instance));
}

io::Task<void> MachineReconciler::tell(Json object, Json status,
                                       const std::optional<Json>& instance, std::string waits_for) {
    const bool ready = instance && is_condition(*instance, "Ready", yes);
    status["created"] = instance.has_value();
    status["ready"] = ready;
    status["printableStatus"] = printable_status(object, status, instance);
    const auto instance_status = instance ? status_of(*instance) : Json{};
    // Without an instance, what it waits for.
    const auto* volumes = find_condition(status, "DataVolumesReady");
    const bool waits = !instance && volumes && volumes->text_at({"status"}) == no;
    const auto* condition = waits ? volumes : find_condition(instance_status, "Ready");
    std::string reason{condition ? condition->text_at({"reason"}) : "NotRunning"};
    std::string message{condition ? condition->text_at({"message"}) : ""};
    if (!waits_for.empty()) {
        reason = "WaitsForTurn";
        message = fmt::format("machine {} is started first: its priority is higher", waits_for);
    }
    Condition told{"Ready", ready ? yes : no, reason, std::move(message)};
    set_condition(status, object, told, client_.time());
    co_await client_.set_status(kind(), object, std::move(status));
}

io::Task<void> MachineReconciler::end(Json object) {
    if (has_finalizer(object, api::orphan_finalizer)) co_return co_await release(std::move(object));
    if (!has_finalizer(object, finalizer) && !has_finalizer(object, api::foreground_finalizer))
        co_return;
    const auto key = key_of(object);
    const auto instance = co_await client_.get(api::virtual_machine_instance_kind, key);
    auto status = status_of(object);
    if (instance && is_owned(*instance, object)) {
        const std::string uid{instance->text_at({"metadata", "uid"})};
        if (!api::is_terminating(*instance))
            co_await client_.remove(api::virtual_machine_instance_kind, key, uid);
        co_return co_await tell(std::move(object), std::move(status), instance);
    }
    const bool gone = co_await volumes_.remove(object);
    if (gone || !has_finalizer(object, api::foreground_finalizer))
        co_return co_await let_go(std::move(object));
    co_await tell(std::move(object), std::move(status), std::nullopt);
}

// What was made for it stays, and is nobody's.
io::Task<void> MachineReconciler::release(Json object) {
    const auto& instances = api::virtual_machine_instance_kind;
    auto instance = co_await client_.get(instances, key_of(object));
    if (instance) co_await disown(client_, instances, *instance, object);
    co_await volumes_.release(object);
    co_await let_go(std::move(object));
}

io::Task<void> MachineReconciler::let_go(Json object) {
    for (const auto held : {api::orphan_finalizer, api::foreground_finalizer, finalizer})
        co_await client_.remove_finalizer(kind(), object, std::string{held});
}

}  // namespace sheaf::control

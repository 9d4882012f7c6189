#include "control/machine_reconciler.h"

#include <algorithm>
#include <array>

#include "api/kinds.h"

namespace sheaf::control {

namespace {

using std::chrono::seconds;

bool belongs_to(const Json& instance, const Json& machine) {
    const auto* owners = instance.at({"metadata", "ownerReferences"});
    const auto uid = machine.text_at({"metadata", "uid"});
    return owners && owners->array() && std::ranges::any_of(*owners->array(), [&](const Json& one) {
               return one.text_at({"uid"}) == uid;
           });
}

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

}  // namespace

const api::Kind& MachineReconciler::kind() const {
    return api::virtual_machine_kind;
}

std::span<const api::Kind* const> MachineReconciler::watched() const {
    static constexpr auto kinds =
        std::to_array<const api::Kind*>({&api::virtual_machine_instance_kind});
    return kinds;
}

// An instance is called as its machine.
io::Task<std::vector<ObjectKey>> MachineReconciler::affected(const api::Kind&, ObjectKey changed,
                                                             const Json*) {
    co_return std::vector<ObjectKey>{std::move(changed)};
}

io::Task<LookAgain> MachineReconciler::reconcile(ObjectKey, std::optional<Json> object) {
    if (!object) co_return std::nullopt;
    if (!api::is_terminating(*object)) co_return co_await run(*std::move(object));
    co_await end(*std::move(object));
    co_return std::nullopt;
}

io::Task<LookAgain> MachineReconciler::run(Json object) {
    const auto key = key_of(object);
    const auto& instances = api::virtual_machine_instance_kind;
    co_await client_.add_finalizer(kind(), object, std::string{finalizer});
    auto instance = co_await client_.get(instances, key);
    auto status = status_of(object);
    if (instance && !belongs_to(*instance, object)) {
        Condition condition{"Failure", yes, "NameTaken",
                            "an instance of this name is there that is not this machine's"};
        set_condition(status, object, condition, client_.time());
        co_await client_.set_status(kind(), object, std::move(status));
        co_return std::nullopt;
    }
    remove_condition(status, "Failure");
    const auto step = next_step(object, status, instance);
    auto again = LookAgain{};
    if (step == MachineStep::start) {
        again = co_await start(object, status);
        instance = co_await client_.get(instances, key);
    } else if (step == MachineStep::stop && !api::is_terminating(*instance)) {
        const std::string uid{instance->text_at({"metadata", "uid"})};
        const auto phase = instance->text_at({"status", "phase"});
        const bool ended = phase == "Succeeded" || phase == "Failed";
        if (ended && status.text_at({"startFailure", "lastFailedVMIUID"}) != uid)
            note_end(status, *instance, client_.time());
        // What was noted is kept before the instance that it is about goes.
        co_await client_.set_status(kind(), object, status);
        co_await client_.remove(instances, key, uid);
        instance = co_await client_.get(instances, key);
    }
    co_await tell(std::move(object), std::move(status), instance);
    co_return again;
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
    metadata["ownerReferences"] =
        Json::Array{Json::object({{"apiVersion", kind().api_version()},
                                  {"kind", kind().name},
                                  {"name", object.text_at({"metadata", "name"})},
                                  {"uid", object.text_at({"metadata", "uid"})},
                                  {"controller", true},
                                  {"blockOwnerDeletion", true}})};
    auto instance = Json::object({{"metadata", std::move(metadata)}});
    instance["spec"] = *object.at({"spec", "template", "spec"});
    co_return co_await client_.create(api::virtual_machine_instance_kind, std::move(instance));
}

io::Task<void> MachineReconciler::tell(Json object, Json status,
                                       const std::optional<Json>& instance) {
    const bool ready = instance && is_condition(*instance, "Ready", yes);
    status["created"] = instance.has_value();
    status["ready"] = ready;
    status["printableStatus"] = printable_status(object, status, instance);
    const auto instance_status = instance ? status_of(*instance) : Json{};
    const auto* condition = find_condition(instance_status, "Ready");
    std::string reason{condition ? condition->text_at({"reason"}) : "NotRunning"};
    std::string message{condition ? condition->text_at({"message"}) : ""};
    Condition told{"Ready", ready ? yes : no, reason, std::move(message)};
    set_condition(status, object, told, client_.time());
    co_await client_.set_status(kind(), object, std::move(status));
}

io::Task<void> MachineReconciler::end(Json object) {
    if (!has_finalizer(object, finalizer)) co_return;
    const auto key = key_of(object);
    const auto instance = co_await client_.get(api::virtual_machine_instance_kind, key);
    if (!instance || !belongs_to(*instance, object))
        co_return co_await client_.remove_finalizer(kind(), object, std::string{finalizer});
    if (!api::is_terminating(*instance)) {
        const std::string uid{instance->text_at({"metadata", "uid"})};
        co_await client_.remove(api::virtual_machine_instance_kind, key, uid);
    }
    auto status = status_of(object);
    co_await tell(std::move(object), std::move(status), instance);
}

}  // namespace sheaf::control

#include "control/machine_volumes.h"

#include "api/kinds.h"
#include "control/conditions.h"
#include "control/owned_object.h"

namespace sheaf::control {

namespace {

constexpr const auto& kind = api::data_volume_kind;

void note_waiting(VolumesOutcome& outcome, const Json& volume) {
    const bool ending = api::is_terminating(volume);
    if (!ending && is_condition(volume, "Ready", yes)) return;
    if (volume.text_at({"status", "phase"}) == "Failed") outcome.failed = true;
    if (!outcome.ready) return;
    outcome.ready = false;
    const auto name = volume.text_at({"metadata", "name"});
    const auto why = message_of(volume, "Ready");
    outcome.message = ending        ? fmt::format("DataVolume {} is being deleted", name)
                      : why.empty() ? fmt::format("DataVolume {} is not ready", name)
                                    : fmt::format("DataVolume {}: {}", name, why);
}

void note_refusal(VolumesOutcome& outcome, std::string_view word, std::string sentence) {
    if (outcome.refused.empty()) {
        outcome.refusal = word;
        outcome.refused = sentence;
    }
    if (outcome.ready) outcome.message = std::move(sentence);
    outcome.ready = false;
    outcome.failed = true;
}

// Waiting does not help; somebody has to change something.
bool is_refusal(const Error& error) {
    return error.kind() == Kind::invalid || error.kind() == Kind::denied ||
           error.kind() == Kind::exhausted;
}

}  // namespace

io::Task<VolumesOutcome> MachineVolumes::provide(const Json& machine) {
    VolumesOutcome outcome;
    const auto* templates = machine.at({"spec", "dataVolumeTemplates"});
    if (!templates || !templates->array()) co_return outcome;
    for (const auto& wanted : *templates->array()) {
        outcome.any = true;
        co_await provide_one(machine, wanted, outcome);
    }
    co_return outcome;
}

io::Task<void> MachineVolumes::provide_one(const Json& machine, const Json& wanted,
                                           VolumesOutcome& outcome) {
    const std::string name{wanted.text_at({"metadata", "name"})};
    const ObjectKey key{key_of(machine).name_space, name};
    dependents_.wait(key_of(machine), kind, key);
    const auto there = co_await client_.get(kind, key);
    if (there && is_owned(*there, machine)) co_return note_waiting(outcome, *there);
    if (there)
        co_return note_refusal(
            outcome, "NameTaken",
            fmt::format("a DataVolume {} is there that is not this machine's", name));
    const auto made = co_await make(machine, wanted).result();
    if (made) co_return note_waiting(outcome, *made);
    if (!is_refusal(made.error())) co_await Failure{made.error()};
    note_refusal(outcome, "FailedCreate",
                 fmt::format("DataVolume {}: {}", name, made.error().text()));
}

io::Task<Json> MachineVolumes::make(const Json& machine, const Json& wanted) {
    const auto name = wanted.text_at({"metadata", "name"});
    auto metadata = Json::object({{"name", name}, {"namespace", key_of(machine).name_space}});
    for (const std::string_view member : {"labels", "annotations"})
        if (const auto* given = wanted.at({"metadata", member})) metadata[member] = *given;
    Json::Array owners;
    owners.push_back(owner_reference(api::virtual_machine_kind, machine));
    metadata["ownerReferences"] = std::move(owners);
    auto object = Json::object({{"metadata", std::move(metadata)}, {"spec", *wanted.find("spec")}});
    auto made = co_await client_.create(kind, std::move(object));
    Event event{normal, "SuccessfulDataVolumeCreate", fmt::format("DataVolume {} was made", name)};
    co_await events_.record(api::virtual_machine_kind, machine, std::move(event));
    co_return made;
}

// Also of templates that are gone.
io::Task<std::vector<Json>> MachineVolumes::owned(const Json& machine) {
    auto all = co_await client_.list(kind, key_of(machine).name_space);
    std::erase_if(all, [&](const Json& volume) { return !is_owned(volume, machine); });
    co_return all;
}

io::Task<bool> MachineVolumes::remove(const Json& machine) {
    bool gone = true;
    auto all = co_await owned(machine);
    for (auto& volume : all) {
        const auto key = key_of(volume);
        if (volume.at({"metadata", "ownerReferences"})->array()->size() > 1) {
            co_await disown(client_, kind, volume, machine);
            continue;
        }
        dependents_.wait(key_of(machine), kind, key);
        std::string uid{volume.text_at({"metadata", "uid"})};
        if (!api::is_terminating(volume)) co_await client_.remove(kind, key, std::move(uid));
        const auto left = co_await client_.get(kind, key);
        if (left) gone = false;
    }
    co_return gone;
}

io::Task<void> MachineVolumes::release(const Json& machine) {
    auto all = co_await owned(machine);
    for (auto& volume : all) co_await disown(client_, kind, volume, machine);
}

}  // namespace sheaf::control

// Machines, as KubeVirt's users write them.

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "api/data_volume_fields.h"
#include "api/kinds.h"
#include "api/machine_fields.h"
#include "api/names.h"
#include "base/json_path.h"

namespace sheaf::api {

namespace {

using Words = std::string_view;

constexpr Words group = "kubevirt.io";
constexpr Words version = "v1";

constexpr auto machine_short = std::to_array<Words>({"vm", "vms"});
constexpr auto instance_short = std::to_array<Words>({"vmi", "vmis"});

constexpr Field status_field = {
    .name = "status", .type = Type::anything, .description = "what is the case; written by Sheaf"};

// Filled when the program starts, from the tables of another source.
const auto machine_all = std::to_array<Field>({
    {.name = "spec",
     .type = Type::object,
     .description = "what is wanted",
     .fields = virtual_machine_fields(),
     .need = Need::required},
    status_field,
});
const auto instance_all = std::to_array<Field>({
    {.name = "spec",
     .type = Type::object,
     .description = "what is wanted",
     .fields = machine_fields(),
     .need = Need::required},
    status_field,
});

constexpr auto machine_columns = std::to_array<Column>({
    {"Status", "status.printableStatus", "what it does"},
    {"Strategy", "spec.runStrategy", "when it runs"},
    {"Ready", "status.ready", "whether it runs"},
});
constexpr auto instance_columns = std::to_array<Column>({
    {"Phase", "status.phase", "how far it is"},
    {"Node", "status.nodeName", "where it runs"},
});

std::size_t count_of_sources(const Json& volume) {
    return volume.object() ? volume.object()->size() - (volume.find("name") ? 1 : 0) : 0;
}

using Names = std::vector<std::string_view>;

// The names in a list of objects, each once.
Names names_of(const Json& parent, Json::Names path, const std::string& place, Causes& causes) {
    Names names;
    const auto* list = parent.at(path);
    if (!list || !list->array()) return names;
    for (std::size_t index = 0; index < list->array()->size(); ++index) {
        const auto name = (*list->array())[index].text_at({"name"});
        if (std::ranges::find(names, name) != names.end())
            causes.push_back({Reason::duplicate, fmt::format("{}[{}].name", place, index),
                              fmt::format("Duplicate value: {}", json::in_quotes(name))});
        names.push_back(name);
    }
    return names;
}

// Every disk has its volume, every interface its network.
void check_partners(const Names& names, const Names& partners, const std::string& place,
                    Words partner, Causes& causes) {
    for (std::size_t index = 0; index < names.size(); ++index)
        if (std::ranges::find(partners, names[index]) == partners.end())
            causes.push_back({Reason::invalid, fmt::format("{}[{}].name", place, index),
                              fmt::format("Invalid value: {}: there is no {} of that name",
                                          json::in_quotes(names[index]), partner)});
}

void check_machine(const Json& spec, const std::string& place, Causes& causes) {
    const auto disks =
        names_of(spec, {"domain", "devices", "disks"}, place + ".domain.devices.disks", causes);
    const auto volumes = names_of(spec, {"volumes"}, place + ".volumes", causes);
    const auto interfaces = names_of(spec, {"domain", "devices", "interfaces"},
                                     place + ".domain.devices.interfaces", causes);
    const auto networks = names_of(spec, {"networks"}, place + ".networks", causes);
    check_partners(disks, volumes, place + ".domain.devices.disks", "volume", causes);
    check_partners(interfaces, networks, place + ".domain.devices.interfaces", "network", causes);
    const auto* list = spec.find("volumes");
    if (!list || !list->array()) return;
    for (std::size_t index = 0; index < list->array()->size(); ++index)
        if (count_of_sources((*list->array())[index]) != 1)
            causes.push_back({Reason::invalid, fmt::format("{}.volumes[{}]", place, index),
                              "Invalid value: a volume is exactly one of persistentVolumeClaim, "
                              "dataVolume, cloudInitNoCloud, hostDisk and emptyDisk"});
}

bool uses_data_volume(const Json& machine, Words name) {
    const auto* volumes = machine.at({"spec", "template", "spec", "volumes"});
    return volumes && volumes->array() &&
           std::ranges::any_of(*volumes->array(), [&](const Json& volume) {
               return volume.text_at({"dataVolume", "name"}) == name ||
                      volume.text_at({"persistentVolumeClaim", "claimName"}) == name;
           });
}

void check_volume_templates(const Json& object, Causes& causes) {
    const auto* list = object.at({"spec", "dataVolumeTemplates"});
    if (!list || !list->array()) return;
    Names names;
    for (std::size_t index = 0; index < list->array()->size(); ++index) {
        const auto& one = (*list->array())[index];
        const auto place = fmt::format("spec.dataVolumeTemplates[{}]", index);
        const auto name = one.text_at({"metadata", "name"});
        const auto refuse = [&](Reason reason, const char* message) {
            causes.push_back({reason, place + ".metadata.name",
                              fmt::format("{}: {}", message, json::in_quotes(name))});
        };
        if (!is_subdomain(name)) refuse(Reason::invalid, "Invalid value: no name of an object");
        if (std::ranges::find(names, name) != names.end())
            refuse(Reason::duplicate, "Duplicate value");
        if (!uses_data_volume(object, name))
            refuse(Reason::invalid, "Invalid value: no volume of the template is of that name");
        names.push_back(name);
        check_data_volume_spec(*one.find("spec"), object.text_at({"metadata", "namespace"}),
                               place + ".spec", causes);
    }
}

void check_start_priority(const Json& object, const Json* before, Causes& causes) {
    constexpr auto name = start_priority_annotation;
    const auto* priority = object.at({"metadata", "annotations", name});
    const auto* was = before ? before->at({"metadata", "annotations", name}) : nullptr;
    if (!priority || (was && *was == *priority)) return;
    if (priority->string() && parse_start_priority(*priority->string())) return;
    causes.push_back({Reason::invalid, fmt::format("metadata.annotations[{}]", name),
                      "Invalid value: a whole number of 32 bits is needed, as \"10\""});
}

void check_virtual_machine(const Json& object, const Json* before, Causes& causes) {
    const auto* spec = object.find("spec");
    if (spec->find("running") && spec->find("runStrategy"))
        causes.push_back({Reason::invalid, "spec.running",
                          "Invalid value: running and runStrategy exclude each other"});
    if (!spec->find("running") && !spec->find("runStrategy"))
        causes.push_back({Reason::required, "spec.runStrategy",
                          "Required value: one of runStrategy and running is needed"});
    check_machine(*spec->at({"template", "spec"}), "spec.template.spec", causes);
    // What was let in once is no reason to refuse its end.
    if (!before || *before->find("spec") != *spec) check_volume_templates(object, causes);
    check_start_priority(object, before, causes);
}

void check_instance(const Json& object, const Json* before, Causes& causes) {
    check_machine(*object.find("spec"), "spec", causes);
    if (!before) return;
    auto was = *before->find("spec");
    auto is = *object.find("spec");
    // How long a guest has to end may still be made shorter when it ends.
    for (auto* spec : {&was, &is}) spec->erase("terminationGracePeriodSeconds");
    if (was != is)
        causes.push_back(
            {Reason::forbidden, "spec", "Forbidden: the spec of an instance does not change"});
}

bool has_host_disk(const Json& spec) {
    const auto* volumes = spec.find("volumes");
    return volumes && volumes->array() &&
           std::ranges::any_of(*volumes->array(),
                               [](const Json& volume) { return volume.find("hostDisk"); });
}

bool machine_reaches_host(const Json& object) {
    const auto* spec = object.at({"spec", "template", "spec"});
    return spec && has_host_disk(*spec);
}

bool instance_reaches_host(const Json& object) {
    const auto* spec = object.find("spec");
    return spec && has_host_disk(*spec);
}

}  // namespace

const Kind virtual_machine_kind = {
    .group = group,
    .version = version,
    .name = "VirtualMachine",
    .plural = "virtualmachines",
    .singular = "virtualmachine",
    .short_names = machine_short,
    .status = StatusBy::subresource,
    .description = "A machine that is there whether it runs or not.",
    .fields = machine_all,
    .columns = machine_columns,
    .check = check_virtual_machine,
    .reaches_host = machine_reaches_host,
    .has_dependents = true,
};

const Kind virtual_machine_instance_kind = {
    .group = group,
    .version = version,
    .name = "VirtualMachineInstance",
    .plural = "virtualmachineinstances",
    .singular = "virtualmachineinstance",
    .short_names = instance_short,
    .status = StatusBy::subresource,
    .description = "A machine that runs.",
    .fields = instance_all,
    .columns = instance_columns,
    .check = check_instance,
    .reaches_host = instance_reaches_host,
};

}  // namespace sheaf::api

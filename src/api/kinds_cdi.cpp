// Disks, as users of Kubernetes and of KubeVirt's importer write them: other faces of Volume.

#include <array>

#include "api/data_volume_fields.h"
#include "api/kinds.h"

namespace sheaf::api {

namespace {

using Words = std::string_view;

constexpr Field status_field = {
    .name = "status", .type = Type::anything, .description = "what is the case; written by Sheaf"};

// PersistentVolumeClaim.

constexpr auto source_kinds =
    std::to_array<Words>({"PersistentVolumeClaim", "Volume", "Snapshot", "Image"});
constexpr auto claim_source = std::to_array<Field>({
    {.name = "apiGroup", .description = "sheaf.io, or of a claim none"},
    {.name = "kind",
     .description = "what the volume begins as",
     .need = Need::required,
     .choices = source_kinds},
    {.name = "name", .description = "", .need = Need::required},
});
constexpr auto claim_spec = std::to_array<Field>({
    {.name = "accessModes", .description = "without effect", .count = Count::list},
    {.name = "resources",
     .type = Type::object,
     .description = "what is wanted",
     .fields = claim_resources,
     .need = Need::required},
    {.name = "volumeMode", .description = "without effect", .choices = volume_modes},
    {.name = "storageClassName", .description = "without effect: there is one pool"},
    {.name = "volumeName", .description = "written by Sheaf"},
    {.name = "dataSource",
     .type = Type::object,
     .description = "what the volume begins as",
     .fields = claim_source},
});
constexpr auto claim_fields = std::to_array<Field>({
    {.name = "spec",
     .type = Type::object,
     .description = "what is wanted",
     .fields = claim_spec,
     .need = Need::required},
    status_field,
});
constexpr auto claim_columns = std::to_array<Column>({
    {"Status", "status.phase", "Pending, Bound or Lost"},
    {"Volume", "status.volume", "that it is the claim to"},
    {"Capacity", "status.capacity.storage", "bytes that a machine sees"},
});
constexpr auto claim_short = std::to_array<Words>({"pvc"});

// What was chosen once stays.
void check_unchanged(const Json& object, const Json* before, Causes& causes, Words field) {
    if (!before) return;
    const auto* was = before->at({"spec", field});
    const auto* is = object.at({"spec", field});
    if (was ? is && *was == *is : !is) return;
    causes.push_back(
        {Reason::invalid, "spec." + std::string{field}, "Invalid value: field is immutable"});
}

void check_claim(const Json& object, const Json* before, Causes& causes) {
    check_unchanged(object, before, causes, "dataSource");
}

// DataVolume.

constexpr auto data_volume_all = std::to_array<Field>({
    {.name = "spec",
     .type = Type::object,
     .description = "what is wanted",
     .fields = data_volume_fields,
     .need = Need::required},
    status_field,
});
constexpr auto data_volume_columns = std::to_array<Column>({
    {"Phase", "status.phase", "how far it is"},
    {"Progress", "status.progress", "of its import"},
});
constexpr auto data_volume_short = std::to_array<Words>({"dv", "dvs"});

void check_data_volume(const Json& object, const Json* before, Causes& causes) {
    for (const auto* field : {"source", "sourceRef"})
        check_unchanged(object, before, causes, field);
    const auto* source = object.at({"spec", "source"});
    const auto* reference = object.at({"spec", "sourceRef"});
    const auto sources = source && source->object() ? source->object()->size() : 0;
    if (sources + (reference ? 1 : 0) != 1)
        causes.push_back({Reason::invalid, "spec.source",
                          "Invalid value: it begins as one thing: source.http, source.pvc, "
                          "source.snapshot, source.blank or sourceRef"});
    if ((object.at({"spec", "pvc"}) != nullptr) == (object.at({"spec", "storage"}) != nullptr))
        causes.push_back(
            {Reason::required, "spec.storage", "Required value: one of storage and pvc is needed"});
    const auto home = object.text_at({"metadata", "namespace"});
    const auto elsewhere = [&](Words name_space, const char* field) {
        if (!name_space.empty() && name_space != home)
            causes.push_back({Reason::not_supported, field,
                              "Unsupported value: what is in another namespace is not shared"});
    };
    elsewhere(object.text_at({"spec", "source", "pvc", "namespace"}), "spec.source.pvc.namespace");
    elsewhere(object.text_at({"spec", "source", "snapshot", "namespace"}),
              "spec.source.snapshot.namespace");
    elsewhere(object.text_at({"spec", "sourceRef", "namespace"}), "spec.sourceRef.namespace");
}

}  // namespace

constinit const Kind persistent_volume_claim_kind = {
    .group = "",
    .version = "v1",
    .name = "PersistentVolumeClaim",
    .plural = "persistentvolumeclaims",
    .singular = "persistentvolumeclaim",
    .short_names = claim_short,
    .status = StatusBy::subresource,
    .description = "A claim to a Volume of its name, which is made where there is none.",
    .fields = claim_fields,
    .columns = claim_columns,
    .check = check_claim,
};

constinit const Kind data_volume_kind = {
    .group = "cdi.kubevirt.io",
    .version = "v1beta1",
    .name = "DataVolume",
    .plural = "datavolumes",
    .singular = "datavolume",
    .short_names = data_volume_short,
    .status = StatusBy::subresource,
    .description = "A Volume of its name, and what it begins as.",
    .fields = data_volume_all,
    .columns = data_volume_columns,
    .check = check_data_volume,
};

}  // namespace sheaf::api

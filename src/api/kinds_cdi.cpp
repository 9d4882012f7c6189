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
    // What was let in once is no reason to refuse its end.
    if (before && *before->find("spec") == *object.find("spec")) return;
    const auto home = object.text_at({"metadata", "namespace"});
    check_data_volume_spec(*object.find("spec"), home, "spec", causes);
}

}  // namespace

// Its Image is made by Sheaf itself, which may open files of the host: a client's word is not
// enough for that.
void check_data_volume_spec(const Json& spec, std::string_view name_space, const std::string& place,
                            Causes& causes) {
    const auto* source = spec.find("source");
    const auto sources = source && source->object() ? source->object()->size() : 0;
    if (sources + (spec.find("sourceRef") ? 1 : 0) != 1)
        causes.push_back({Reason::invalid, place + ".source",
                          "Invalid value: it begins as one thing: source.http, source.pvc, "
                          "source.snapshot, source.blank or sourceRef"});
    if ((spec.find("pvc") != nullptr) == (spec.find("storage") != nullptr))
        causes.push_back({Reason::required, place + ".storage",
                          "Required value: one of storage and pvc is needed"});
    const auto url = spec.text_at({"source", "http", "url"});
    if (spec.at({"source", "http"}) && !url.starts_with("http://") && !url.starts_with("https://"))
        causes.push_back({Reason::invalid, place + ".source.http.url",
                          "Invalid value: begins with neither http:// nor https://"});
    const auto elsewhere = [&](Words other, const char* field) {
        if (!other.empty() && other != name_space)
            causes.push_back({Reason::not_supported, place + field,
                              "Unsupported value: what is in another namespace is not shared"});
    };
    elsewhere(spec.text_at({"source", "pvc", "namespace"}), ".source.pvc.namespace");
    elsewhere(spec.text_at({"source", "snapshot", "namespace"}), ".source.snapshot.namespace");
    elsewhere(spec.text_at({"sourceRef", "namespace"}), ".sourceRef.namespace");
}

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

#pragma once

// Why: what a DataVolume may say is the same whether it stands alone or in a machine's
// dataVolumeTemplates.

#include <array>

#include "api/causes.h"
#include "api/field.h"
#include "base/json_tree.h"

namespace sheaf::api {

inline constexpr auto claim_amounts = std::to_array<Field>({
    {.name = "storage", .type = Type::quantity, .description = "bytes", .need = Need::required},
});
inline constexpr auto claim_resources = std::to_array<Field>({
    {.name = "requests",
     .type = Type::object,
     .description = "",
     .fields = claim_amounts,
     .need = Need::required},
});
inline constexpr auto volume_modes = std::to_array<std::string_view>({"Filesystem", "Block"});

inline constexpr auto data_volume_http = std::to_array<Field>({
    {.name = "url", .description = "http or https", .need = Need::required},
});
inline constexpr auto data_volume_object = std::to_array<Field>({
    {.name = "name", .description = "", .need = Need::required},
    {.name = "namespace", .description = "its own alone"},
});
inline constexpr auto data_volume_source = std::to_array<Field>({
    {.name = "http", .type = Type::object, .description = "", .fields = data_volume_http},
    {.name = "pvc",
     .type = Type::object,
     .description = "a copy of a Volume",
     .fields = data_volume_object},
    {.name = "snapshot",
     .type = Type::object,
     .description = "what a Snapshot holds",
     .fields = data_volume_object},
    {.name = "blank", .type = Type::object, .description = "nothing but zeroes"},
});
inline constexpr auto data_volume_reference_kinds = std::to_array<std::string_view>({"Image"});
inline constexpr auto data_volume_reference = std::to_array<Field>({
    {.name = "kind",
     .description = "Image, of Sheaf",
     .need = Need::required,
     .choices = data_volume_reference_kinds},
    {.name = "name", .description = "", .need = Need::required},
    {.name = "namespace", .description = "its own alone"},
});
inline constexpr auto data_volume_storage = std::to_array<Field>({
    {.name = "resources",
     .type = Type::object,
     .description = "",
     .fields = claim_resources,
     .need = Need::required},
    {.name = "accessModes", .description = "without effect", .count = Count::list},
    {.name = "volumeMode", .description = "without effect", .choices = volume_modes},
    {.name = "storageClassName", .description = "without effect"},
});
inline constexpr auto data_volume_fields = std::to_array<Field>({
    {.name = "source",
     .type = Type::object,
     .description = "what it begins as: one of these",
     .fields = data_volume_source},
    {.name = "sourceRef",
     .type = Type::object,
     .description = "the same, as an object",
     .fields = data_volume_reference},
    {.name = "pvc", .type = Type::object, .description = "", .fields = data_volume_storage},
    {.name = "storage",
     .type = Type::object,
     .description = "the same as pvc",
     .fields = data_volume_storage},
});

// What the fields cannot say of a DataVolume, or of a template of one, in that namespace. `place`
// is the path of the spec.
void check_data_volume_spec(const Json& spec, std::string_view name_space, const std::string& place,
                            Causes& causes);

}  // namespace sheaf::api

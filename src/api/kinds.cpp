#include "api/kinds.h"

#include <algorithm>
#include <array>

namespace sheaf::api {

namespace {

constexpr auto kinds = std::to_array<const Kind*>(
    {&namespace_kind, &secret_kind, &event_kind, &persistent_volume_claim_kind, &data_volume_kind,
     &node_kind, &volume_kind, &image_kind, &snapshot_kind, &network_kind, &virtual_machine_kind,
     &virtual_machine_instance_kind});

}  // namespace

std::string Kind::api_version() const {
    return group.empty() ? std::string{version} : std::string{group} + "/" + std::string{version};
}

std::string Kind::resource() const {
    return group.empty() ? std::string{plural} : std::string{plural} + "." + std::string{group};
}

std::span<const Kind* const> all_kinds() {
    return kinds;
}

const Kind* find_kind(std::string_view group, std::string_view version, std::string_view plural) {
    const auto found = std::ranges::find_if(kinds, [&](const auto* kind) {
        return kind->group == group && kind->version == version && kind->plural == plural;
    });
    return found == kinds.end() ? nullptr : *found;
}

}  // namespace sheaf::api

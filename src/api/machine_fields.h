#pragma once

// Why: the subset of KubeVirt's machine that Sheaf offers; a field that is not here is refused by
// its path (docs/api.md, Machines).

#include <optional>

#include "api/field.h"

namespace sheaf::api {

// Of a VirtualMachine: which of several starts first, the highest.
inline constexpr std::string_view start_priority_annotation = "sheaf.io/start-priority";
// A whole number of 32 bits; none where it is none.
std::optional<std::int64_t> parse_start_priority(std::string_view text);

// Of spec of a VirtualMachineInstance, and of spec.template.spec of a VirtualMachine.
std::span<const Field> machine_fields();
// Of spec of a VirtualMachine beside its template.
std::span<const Field> virtual_machine_fields();

}  // namespace sheaf::api
